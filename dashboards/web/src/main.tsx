import { render } from "preact";
import { App } from "./app";
import "./base.css";
import "./attention.css";
import "./floor.css";
import "./needs.css";

const page = document.getElementById("page");
if (page) {
  if (new URLSearchParams(location.search).has("tv")) document.documentElement.dataset["tv"] = "";
  render(<App />, page);
}
