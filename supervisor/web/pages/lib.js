// The libraries under one name: `html` makes elements of preact out of a template.
import htm from "./vendor/htm.mjs";
import { h } from "./vendor/preact.mjs";

export { Component, Fragment, render } from "./vendor/preact.mjs";
export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/hooks.mjs";
export const html = htm.bind(h);
