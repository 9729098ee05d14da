// What in built scripts is younger than Chrome 87 and Safari 14. Arguments: the folder whose packages count, then the
// files. Prints JSON: for each file what could not be parsed, and which young names it uses how often.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [packages, ...files] = process.argv.slice(2);
const { parse } = createRequire(`${packages}/package.json`)("acorn");

// Safari 14 knows the syntax of ES2021; class fields (14.1), private members and static blocks (15, 16.4) came later.
const EDITION = 2021;
// Missing in Chrome 87 or Safari 14. Names of methods count wherever they are called; names of objects when read.
const METHODS = [
  "at", "findLast", "findLastIndex", "toSorted", "toReversed", "toSpliced", "hasOwn", "groupBy", "fromAsync",
  "withResolvers", "isWellFormed", "replaceSync", "showModal", "checkVisibility", "randomUUID", "showPicker", "timeout",
  "supportedValuesOf", "union", "isSubsetOf", "startViewTransition", "persist", "estimate", "requestVideoFrameCallback",
];
const OBJECTS = [
  "structuredClone", "BroadcastChannel", "SharedWorker", "createImageBitmap", "OffscreenCanvas", "WeakRef",
  "FinalizationRegistry", "requestIdleCallback", "CompressionStream", "DecompressionStream", "TransformStream",
  "BarcodeDetector", "AggregateError", "reportError", "navigation", "Segmenter", "ListFormat", "locks",
  "sync", "wakeLock", "userAgentData", "CSSStyleSheet",
];
const LOOK_BEHIND = /\(\?<[=!]/;

function* nodes(node) {
  if (typeof node?.type === "string") yield node;
  for (const value of Object.values(node ?? {})) {
    if (Array.isArray(value)) for (const one of value) yield* nodes(one);
    else if (value && typeof value === "object" && !(value instanceof RegExp)) yield* nodes(value);
  }
}

function nameOf(node) {
  if (node.type === "MemberExpression") return node.computed ? node.property.value : node.property.name;
  return node.type === "Identifier" ? node.name : undefined;
}

function young(tree) {
  const found = {};
  const add = (what) => {
    found[what] = (found[what] ?? 0) + 1;
  };
  for (const node of nodes(tree)) {
    if (node.type === "CallExpression" && node.callee.type === "MemberExpression" && METHODS.includes(nameOf(node.callee)))
      add(`.${nameOf(node.callee)}()`);
    if (node.type === "MemberExpression" && OBJECTS.includes(nameOf(node))) add(nameOf(node));
    if (node.type === "Identifier" && OBJECTS.includes(node.name)) add(node.name);
    if (node.type === "Property" && node.value?.type === "Identifier" && OBJECTS.includes(node.key?.name)) add(node.key.name);
    if (node.type === "Literal" && node.regex && LOOK_BEHIND.test(node.regex.pattern)) add("look-behind");
  }
  return found;
}

const report = {};
for (const file of files) {
  const text = readFileSync(file, "utf8");
  const told = { unparsed: null, young: {} };
  // The script before all others and the worker are read as scripts, by engines older than these too.
  const gate = /gate-[^/]*\.js$/.test(file);
  try {
    const tree = parse(text, { ecmaVersion: gate ? 5 : EDITION, sourceType: gate ? "script" : "module" });
    told.young = young(tree);
  } catch (error) {
    told.unparsed = String(error.message);
  }
  report[file] = told;
}
console.log(JSON.stringify(report));
