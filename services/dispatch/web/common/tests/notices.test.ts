import { expect, test } from "vitest";
import { badge, waitFor } from "../src/notices";

test("a bell counts to a hundred and no further", () => {
  expect([0, 1, 99, 100, 5_000].map(badge)).toEqual(["", "1", "99", "99+", "99+"]);
});

test("after a change the bell waits until people are told, and on a busy street ten seconds between two looks", () => {
  expect(waitFor(100_000, 0)).toBe(1_500);
  expect(waitFor(100_000, 99_000)).toBe(9_000);
  expect(waitFor(100_000, 91_000)).toBe(1_500);
});
