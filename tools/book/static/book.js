// A page that was opened as a file may not read other files: there the search shows titles without the lines around.
// biome-ignore lint/correctness/noUndeclaredVariables: Sphinx declares it in a script before this one
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
