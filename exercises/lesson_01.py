"""Checks of the exercises for notebook 01."""

from typing import Any

from exercises.checking import Wrong, answer_of, exercise, number, table_with

KNOWN = {"a rocket ready for launch": "Rocket before launch", "a cup of coffee": "Coffee"}


@exercise("01.coffee")
def coffee(hits: Any) -> str:
    table = table_with(hits, "title", "score")
    if table["title"].iloc[0] != "Coffee":
        raise Wrong(f"the first hit is {table['title'].iloc[0]!r}: which words did you embed?")
    if len(table) != 8:
        raise Wrong(f"there are {len(table)} hits, not eight: search_segments takes limit=….")
    others = table["title"].ne("Coffee").sum()
    return f"the search filled all eight places, {others} of them with something other than Coffee."


@exercise("01.scores")
def scores(best_absent: Any, worst_coffee: Any) -> str:
    absent, present = number(best_absent), number(worst_coffee)
    if not (-1 <= absent <= 1 and -1 <= present <= 1):
        raise Wrong("a cosine lies between -1 and 1: take both numbers from a column score.")
    if round(absent, 3) == round(present, 3):
        raise Wrong("both numbers are the same one: they come from two tables.")
    if absent < 0.3:
        raise Wrong("the best score for sushi is higher: take the largest of its table.")
    if present > absent:
        raise Wrong(
            "some clip of Coffee has a lower score than that: take the smallest, of clips of Coffee only."
        )
    if present < 0.28:
        raise Wrong("that is not a clip of Coffee any more: keep the rows with that title first.")
    return "no rule 'show what scores above …' keeps every clip of Coffee and refuses the sushi."


@exercise("01.find")
def find(function: Any) -> str:
    for words, title in KNOWN.items():
        answer = answer_of(function, words)
        if not isinstance(answer, str):
            raise Wrong(f"a text is wanted, and your function returns a {type(answer).__name__}.")
        if title not in answer:
            raise Wrong(f"for {words!r} it returns {answer!r}: where is the title of the first hit?")
        if "6" not in answer.replace(title, ""):
            raise Wrong(
                f"for {words!r} it returns {answer!r}: the second at which the hit starts is missing."
            )
    if answer_of(function, "a cup of coffee") == answer_of(function, "a rocket ready for launch"):
        raise Wrong("it returns the same for all words: use its argument.")
    return "it says what was found and from which second, for any words."


@exercise("01.afresh")
def afresh(there: Any, rows: Any, segments: int) -> str:
    if not isinstance(there, bool):
        raise Wrong("the first answer is True or False: ask milvus.has_collection right after the drop.")
    if there:
        raise Wrong("the collection was still there: drop it first, then ask.")
    if number(rows) != segments:
        raise Wrong(
            f"{number(rows):g} rows are not all segments: make the collection again, insert, then count."
        )
    return "the rows went and came back, and no request was made: the vectors were on your disk."
