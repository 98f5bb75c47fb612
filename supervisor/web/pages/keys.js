// Keys of a screen.
import { useLayoutEffect, useRef } from "./lib.js";

// Calls what the last drawing gave, from the moment the screen is there: keys that follow each other faster than the
// screen is painted do not get lost.
export function useKeys(onKey) {
  const latest = useRef(onKey);
  latest.current = onKey;
  useLayoutEffect(() => {
    const hear = (event) => latest.current(event);
    addEventListener("keydown", hear);
    return () => removeEventListener("keydown", hear);
  }, []);
}
