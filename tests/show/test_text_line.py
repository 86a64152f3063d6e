"""A line of text: what the Enter key and a button take of it."""

import ipywidgets as widgets

from helpers.show.text_line import TextLine, on_enter_or_click


def test_the_enter_key_takes_what_is_typed_though_no_value_came_before_it():
    line, button, taken = TextLine(value="schönes W"), widgets.Button(), []
    on_enter_or_click(line, button, lambda: taken.append(line.value))
    line._handle_custom_msg({"event": "submit", "value": "schönes Wetter"}, [])
    assert taken == ["schönes Wetter"]
    line._handle_custom_msg({"event": "change", "value": "rain"}, [])
    assert taken == ["schönes Wetter"], "a line that is left asks for nothing"
    button.click()
    assert taken[1:] == ["rain"]


def test_what_was_typed_is_not_sent_back_over_what_is_being_typed(monkeypatch):
    line, sent = TextLine(), []
    monkeypatch.setattr(line, "send_state", lambda key=None: sent.append(key))
    monkeypatch.setattr(line, "_send", lambda message, buffers=None: sent.append(message))
    line._handle_custom_msg({"event": "submit", "value": "cat"}, [])
    assert line.value == "cat" and sent == []
