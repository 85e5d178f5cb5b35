import { render } from "preact";
import "./base.css";
import "./attention.css";
import "./floor.css";
import "./needs.css";
import "./pages.css";
import { chooseLanguage } from "./i18n";

await chooseLanguage();
const { App } = await import("./app"); // its words are in the language chosen
const page = document.getElementById("page");
if (page) render(<App />, page);
