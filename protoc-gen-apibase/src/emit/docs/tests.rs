//! Comments that must not break a page.

use super::markdown::{Anchors, block, cell, code};

#[test]
fn cell_is_one_line_without_bars() {
    assert_eq!(cell(" One\n of two.\n"), "One of two.");
    assert_eq!(cell("a | b, `c|d`"), r"a \| b, `c\|d`");
    assert_eq!(cell(""), "");
}

#[test]
fn cell_keeps_paragraphs_and_lists_apart() {
    assert_eq!(cell("One.\n\nTwo."), "One.<br><br>Two.");
    assert_eq!(
        cell("Either\n\n- this\n  one\n- or that"),
        "Either<br><br>• this one<br>• or that"
    );
    assert_eq!(cell("- one\n- two"), "• one<br>• two");
}

#[test]
fn cell_shows_code_as_spans() {
    assert_eq!(
        cell("Run:\n\n    a | b\n    c\n\nDone."),
        r"Run:<br><br>`` a \| b ``<br>`` c ``<br><br>Done."
    );
}

#[test]
fn tags_are_text() {
    assert_eq!(cell("A List<T>."), r"A List\<T>.");
    assert_eq!(block("A <b>"), r"A \<b>");
}

#[test]
fn headings_go_below_the_pages_own() {
    assert_eq!(block("# One\n## Two"), "#### One\n##### Two");
    assert_eq!(block("```sh\n# not one\n```"), "```sh\n# not one\n```");
}

#[test]
fn equal_headings_get_different_anchors() {
    let mut anchors = Anchors::default();
    assert_eq!(anchors.next("GetItem"), "getitem");
    assert_eq!(anchors.next("common.ErrorDetail"), "commonerrordetail");
    assert_eq!(anchors.next("Getitem"), "getitem-1");
    assert_eq!(anchors.next("Two words"), "two-words");
}

#[test]
fn code_is_one_span_of_a_cell() {
    assert_eq!(code("item {id} not found"), "`item {id} not found`");
    assert_eq!(code("a | b"), r"`a \| b`");
    assert_eq!(code("`a``"), "``` `a`` ```");
    assert_eq!(code("one\ntwo"), "`one two`");
    assert_eq!(code(""), "");
}

#[test]
fn headings_of_comments_count() {
    let mut anchors = Anchors::default();
    anchors.skip_comment("Text.\n\n# Errors\n\n```sh\n# no heading\n```\n");
    assert_eq!(anchors.next("Errors"), "errors-1");
    assert_eq!(anchors.next("no heading"), "no-heading");
}
