/** States in which nothing more happens to a report. */
export const FINISHED: ReadonlySet<string> = new Set(["closed", "archived", "void", "not_filed", "merged"]);
