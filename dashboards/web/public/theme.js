// Before the first paint, so that a dark page never flashes white.
try {
  const theme = localStorage.getItem("fabcommons.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage may be forbidden; the system's preference then decides
}
