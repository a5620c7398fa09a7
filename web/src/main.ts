import { mount } from "svelte";
import "./app.css";
import App from "./components/App.svelte";

const target = document.getElementById("page");
if (!target) throw new Error("the page has no place for the studio");

export default mount(App, { target });
