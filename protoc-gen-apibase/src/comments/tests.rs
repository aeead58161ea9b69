//! Each rule by itself; that all of them come to rest; and that rustdoc and clippy agree.

use std::fmt::Write as _;
use std::process::Command;

use super::rustdoc;

/// What proto comments are made of: real ones, and the ones that hurt.
const SAMPLES: &[&str] = &[
    "",
    " \n \n",
    " Returns one item.\n",
    " One.\n\n Two.\n",
    "* Documented in a block.\n ",
    "\n Documented in a block.\n\n   Indented.\n ",
    "One\r\nTwo\r\n\r\nThree\rFour\r\n",
    " Code:\n ```\n let x = [1];\n ```\n",
    " ```rust\n let x = 1;\n ```\n",
    " ```rust,should_panic\n let x = 1;\n ```\n",
    " ```E0308\n x\n ```\n ```edition2021\n x\n ```\n ```compile-fail\n x\n ```\n ```{.proto}\n x\n ```\n",
    " ```json\n {\"a\": [1, \"<T>\", \"https://example.com\"]}\n ```\n",
    " ```json title=\"an unclosed\n []\n ```\n",
    " ~~~\n tilde [x]\n ~~~\n",
    " ~~~~ proto\n tilde ~~~ [x]\n ~~~~\n",
    " ```\n open [x]\n",
    " text\n ```json",
    " - ```\n   open in a list [x]\n\n After.\n",
    " - item\n   ```\n   open in a list\n - next\n",
    " > ```\n > open in a quote\n",
    " Usage:\n\n     curl [x] <host>\n       deeper\n\n     end\n\n After.\n",
    "     only code?\n",
    " First:\n     not code, a paragraph goes on\n",
    " Fences in indented code:\n\n     ```\n     x\n     ```\n",
    " - item\n\n       code in an item\n\n       more\n - next\n",
    " 1. item\n\n        code in an item\n",
    "> quote\n>\n>     code in a quote\n>     more\n",
    "> - a\n>\n>       code in an item in a quote\n>\n>       more\n",
    " -     code right after the marker\n",
    " - one\n - two\n   - two and a half\n       - deeper\n         text\n - three\n",
    " Steps:\n * one\n   goes on\n * two\n goes on lazily\n * three\n         goes on deep down\n",
    " 1. one\n    - nested\n      text\n 10. two\n    text\n",
    " - a\n\n   paragraph\n   of the item\n\n - b\nlazy\n",
    "- a\n    - b\n      c\n\n      d\n      e\n",
    " > quote\n lazy\n > > deeper\n lazy again\n",
    " > - item in a quote\n lazy\n",
    " The [brackets] of [Item] and arr[0], [x][y], [x][], [`Item`].\n",
    " See [the item](Item), [guide](docs/guide.md), [top](#top), [empty]().\n",
    " See [docs](https://example.com/a_b), [mail](mailto:a@example.com), <https://example.com>.\n",
    " [https://example.com](https://example.com), [[nested]](https://example.com) [a [b] c](d)\n",
    " ![image](https://example.com/a.png) ![image](a.png) ![x] !\n",
    " A [task]\n - [ ] open\n - [x] done\n",
    " A note[^1].\n\n [^1]: https://example.com\n [^2]: words\n",
    " [google.type.Money]: google/type/money.proto\n [docs]: https://example.com/docs\n\n [docs] [google.type.Money] [docs][] [x][docs]\n",
    " - [nested]: definition\n",
    " See https://example.com.\n (https://example.com/a_(b)) and (see https://example.com).\n",
    " https://example.com/v1/{name=projects/*}:get?x=1&y=[2]#frag, https://example.com/a_b_c!\n",
    " **https://example.com** *http://example.com/* \"https://example.com\" 'http://example.com'\n",
    " `https://example.com` <https://example.com/[x]> <a@example.com> http:// https://...\n",
    " https://example.com/`x`|y http://localhost:8080/ [https://example.com]\n",
    " # https://example.com <T>\n\n Title [x]\n ---------\n",
    " | a [x] | `b[0]` |\n |-------|--------|\n | <T> | https://example.com/x |\n",
    " Vec<T>, Map<String, Vec<u8>>, <b>bold</b>, a < b > c, <br/>, <T\n",
    " <div>\n [x] <T>\n\n     code\n </div>\n",
    " <!-- [x] <T>\n\n y -->\n",
    " <foo:bar> <google.type:Foo> <?php ?> <![CDATA[ x ]]> <!DOCTYPE>\n",
    " `[x]` `<T>` ``a ` [b]`` ` unclosed [x] <T>\n",
    " \\[x\\] \\<T> Vec\\<T> \\`[x]\\` \\\\[x]\n",
    " <https://example.com>, \\[x\\]: <https://example.com.>\n",
    " &lt;T&gt; &amp; &#91;x&#93; a && b\n",
    " A /* comment */ in // a *\\/ comment */\n",
    "\tTab\n\t\tdeeper\tinside\n",
    " -\titem\n \ttext\n",
    " Hidden \u{202E}text\u{2066} and \u{7}bell\u{0}.\n",
    " # Title\n ## Sub\n text\n ***\n text\n",
    " hard  \n break\\\n here\n",
    " @param x [required] the <x>\n @return {Foo}\n",
    " Ünïcödé [größe] <Ü> https://example.com/ü “https://example.com” 日本[語]\n",
    " /slash\n //// slashes\n",
    " ~~~`text\n x\n ~~~\n ~~~+\n x\n ~~~\n ```c++\n x\n ```\n ```{\n x\n ```\n",
    " - [x] first\n goes on\n - \\[y\\] second\n   goes on\n",
    " \"`[^1]: n\n [^1]: n\n a [b][c]` d\n",
    " [r]: https://example.com\n\n - [s]: https://example.com\n > [t]: https://example.com\n",
    "* one\n* two\n",
    " * one\n   * two\n   * three\n",
    " Format: `projects/{project}/topics/{topic}`. Must be `[a-z]`.\n\n Example:\n ```\n\n x\n\n",
];

fn joined(comment: &str) -> String {
    rustdoc(comment).join("\n")
}

#[test]
fn nothing_stays_nothing() {
    assert!(rustdoc("").is_empty());
    assert!(rustdoc(" \n\t\n\r\n").is_empty());
}

#[test]
fn leading_space_and_blank_ends_go() {
    assert_eq!(rustdoc("\n One.\n\n   Two.  \n \n"), ["One.", "", "  Two."]);
}

#[test]
fn block_comment_star_is_no_list() {
    assert_eq!(rustdoc("* One.\n Two.\n "), ["One.", "Two."]);
    assert_eq!(rustdoc(" * one\n * two\n"), ["* one", "* two"]);
}

#[test]
fn windows_line_ends_are_line_ends() {
    assert_eq!(rustdoc(" One\r\n\r\n Two\r\n"), ["One", "", "Two"]);
}

#[test]
fn tabs_become_spaces() {
    assert_eq!(rustdoc("\tOne\n\tTwo\tThree\n"), ["One", "Two Three"]);
}

#[test]
fn fence_rustdoc_would_run_becomes_text() {
    for opening in [
        "```",
        "``` ",
        "```rust",
        "```Rust",
        "```rust,no_run",
        "```ignore",
        "```should_panic",
        "```no-run",
        "```edition2021",
        "```E0308",
        "```{.proto}",
        "```rust2018",
    ] {
        let comment = format!("{opening}\nlet x = [1];\n```");
        assert_eq!(joined(&comment), "```text\nlet x = [1];\n```", "{opening}");
    }
    assert_eq!(joined("~~~\nx\n~~~"), "~~~text\nx\n~~~");
}

#[test]
fn fence_of_another_language_stays() {
    let comment = "```json\n{\"a\": [1, \"<T>\", \"https://example.com\"]}\n```";
    assert_eq!(joined(comment), comment);
    assert_eq!(joined("``` proto title=\"x\nx\n```"), "```proto\nx\n```");
    // rustdoc warns about the signs.
    assert_eq!(joined("```c++\nx\n```"), "```cpp\nx\n```");
}

#[test]
fn open_fence_is_closed() {
    assert_eq!(joined("```\nx"), "```text\nx\n```");
    assert_eq!(joined("~~~~json\n~~~\nx"), "~~~~json\n~~~\nx\n~~~~");
    assert_eq!(joined("a\n```json"), "a\n```json\n```");
    assert_eq!(joined("- ```\n  x\n\ny"), "- ```text\n  x\n  ```\n\ny");
    assert_eq!(joined("> ```\n> x"), "> ```text\n> x\n> ```");
}

#[test]
fn indented_code_becomes_a_fence() {
    assert_eq!(
        joined(" Run:\n\n     curl [x]\n       -v\n\n     end\n\n After."),
        "Run:\n\n```text\ncurl [x]\n  -v\n\nend\n```\n\nAfter."
    );
    assert_eq!(
        joined("- a\n\n      code\n      more\n- b"),
        "- a\n\n  ```text\n  code\n  more\n  ```\n- b"
    );
    assert_eq!(
        joined("> q\n>\n>     code\n>     more"),
        "> q\n>\n> ```text\n> code\n> more\n> ```"
    );
    assert_eq!(joined("a\n\n    ```\n    x"), "a\n\n````text\n```\nx\n````");
}

#[test]
fn nested_list_is_no_code() {
    let comment = "- one\n  - two\n    - three\n      text\n- four";
    assert_eq!(joined(comment), comment);
    let deep = "- one\n\n    - two\n\n        - three";
    assert_eq!(joined(deep), deep);
}

#[test]
fn continuation_lines_are_indented_to_their_item() {
    assert_eq!(
        joined("- one\ntwo\n- three\n      four"),
        "- one\n  two\n- three\n  four"
    );
    assert_eq!(joined("10. one\ntwo"), "10. one\n    two");
    assert_eq!(joined("> one\ntwo"), "> one\n> two");
}

#[test]
fn bracket_that_is_no_web_link_is_escaped() {
    for (comment, expected) in [
        ("a [b] c[0]", r"a \[b\] c\[0\]"),
        ("[a](b)", r"\[a\](b)"),
        ("[x][y]", r"\[x\]\[y\]"),
        ("[x][]", r"\[x\]\[\]"),
        ("[`Item`]", r"\[`Item`\]"),
        ("![a](b.png)", r"!\[a\](b.png)"),
        ("- [ ] open", r"- \[ \] open"),
        (
            "[^1]: https://example.com",
            r"\[^1\]: <https://example.com>",
        ),
        ("[a]: b.proto\n\n[a]", "\\[a\\]: b.proto\n\n\\[a\\]"),
        (
            "[[a]](https://example.com)",
            r"[\[a\]](https://example.com)",
        ),
    ] {
        assert_eq!(joined(comment), expected);
    }
}

#[test]
fn web_link_stays() {
    for comment in [
        "[link](https://example.com/a_b)",
        "[mail](mailto:a@example.com)",
        "![image](https://example.com/a.png)",
        "<https://example.com/[x]>",
        "<a@example.com>",
        "[a][b]\n\n[b]: https://example.com",
    ] {
        assert_eq!(joined(comment), comment);
    }
}

#[test]
fn bare_url_gets_angle_brackets() {
    for (comment, expected) in [
        ("https://example.com", "<https://example.com>"),
        ("At http://example.com/a_b.", "At <http://example.com/a_b>."),
        ("(see https://example.com).", "(see <https://example.com>)."),
        ("https://example.com/a_(b)", "<https://example.com/a_(b)>"),
        ("https://example.com/[x]", "<https://example.com/[x]>"),
        ("**https://example.com**", "**<https://example.com>**"),
        ("[https://example.com]", r"\[<https://example.com>\]"),
        (
            "https://a.com, https://b.com",
            "<https://a.com>, <https://b.com>",
        ),
        ("https://... http://", "https://... http://"),
    ] {
        assert_eq!(joined(comment), expected);
    }
}

#[test]
fn tag_is_escaped() {
    for (comment, expected) in [
        ("Vec<T>", r"Vec\<T>"),
        ("Map<String, Vec<u8>>", r"Map<String, Vec\<u8>>"),
        ("<b>bold</b>", r"\<b>bold\</b>"),
        ("<div>\n[x]\n</div>", "\\<div>\n\\[x\\]\n\\</div>"),
        ("<!-- [x] -->", r"\<!-- \[x\] -->"),
        ("a < b > c", "a < b > c"),
        ("<foo:bar>", r"\<foo:bar>"),
    ] {
        assert_eq!(joined(comment), expected);
    }
}

#[test]
fn code_span_stays() {
    for comment in [
        "`[x] <T> https://example.com`",
        "``a ` [b]``",
        "`a[0]` is `b<c>`",
    ] {
        assert_eq!(joined(comment), comment);
    }
}

#[test]
fn escaped_text_stays() {
    for comment in [r"\[x\] Vec\<T>", r"\`x\`", "&lt;T&gt;"] {
        assert_eq!(joined(comment), comment);
    }
    assert_eq!(joined(r"\\[x]"), r"\\\[x\]");
}

#[test]
fn end_of_a_rust_comment_is_harmless_text() {
    assert_eq!(joined("a */ b /* c"), "a */ b /* c");
}

#[test]
fn invisible_characters_go() {
    assert_eq!(joined("a\u{202E}b\u{0}c"), "abc");
}

#[test]
fn second_time_changes_nothing() {
    for sample in SAMPLES {
        let once = rustdoc(sample);
        assert_eq!(rustdoc(&once.join("\n")), once, "{sample:?}");
        assert!(once.iter().all(|line| !line.contains(['\n', '\r', '\t'])));
        // Texts beside each other must not wake each other up either.
        for other in SAMPLES.iter().step_by(7) {
            let pair = rustdoc(&format!("{sample}\n{other}"));
            assert_eq!(rustdoc(&pair.join("\n")), pair, "{sample:?} + {other:?}");
        }
    }
}

/// Any bytes in: no panic, and it comes to rest.
#[test]
fn scrambled_text_comes_to_rest() {
    let alphabet: Vec<char> = "[]()<>`~#*-_>|\\!:/ \t\n\nab1é&.\"".chars().collect();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..20_000 {
        let text: String = (0..24)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                alphabet[(state >> 33) as usize % alphabet.len()]
            })
            .collect();
        let once = rustdoc(&text);
        assert_eq!(rustdoc(&once.join("\n")), once, "{text:?}");
    }
}

#[test]
fn rustdoc_and_clippy_warn_about_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("samples.rs");
    std::fs::write(&file, samples_as_rust()).unwrap();
    let tool = |name: &str, arguments: &[&str]| {
        let output = Command::new(name)
            .args(["--edition=2024", "--crate-type=lib", "--crate-name=samples"])
            .args(arguments)
            .arg(&file)
            .current_dir(dir.path())
            .output();
        match output {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr).into_owned()
                    + &String::from_utf8_lossy(&output.stdout);
                assert!(output.status.success(), "{name}: {text}");
                text
            }
            Err(_) => {
                eprintln!("SKIPPED: {name} is not installed");
                String::new()
            }
        }
    };
    tool("rustdoc", &["-Dwarnings"]);
    let tests = tool("rustdoc", &["--test"]);
    assert!(
        tests.is_empty() || tests.contains("running 0 tests"),
        "{tests}"
    );
    tool(
        "clippy-driver",
        &["-Dwarnings", "-Dclippy::all", "--emit=metadata"],
    );
}

fn samples_as_rust() -> String {
    let mut source = String::from("#![deny(missing_docs)]\n//! Samples.\n");
    for (index, sample) in SAMPLES.iter().enumerate() {
        source.push_str("\n/// Sample.\n///\n");
        for line in rustdoc(sample) {
            writeln!(source, "/// {line}").unwrap();
        }
        writeln!(source, "pub struct Sample{index};").unwrap();
    }
    source
}
