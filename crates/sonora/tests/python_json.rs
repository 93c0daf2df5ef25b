//! JSON as Python writes it, against Python itself.

#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::process::{Command, Stdio};

use dalsegno_sonora::python_json;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const CASES: usize = 3000;

/// Reads texts, each in hexadecimal digits on a line of its own, and says what becomes of each.
const PYTHON: &str = r#"
import json, sys
for line in sys.stdin:
    text = bytes.fromhex(line.strip()).decode()
    try:
        print(json.dumps(json.loads(text), sort_keys=True, default=str))
    except ValueError:
        print("no JSON")
"#;

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\r\n\t")]
}

fn quoted() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-c]",
        "[ -!#-\\[\\]-~]{0,3}",
        "[\u{7f}-\u{ff}\u{ffff}\u{e000}\u{1f3b5}\u{10ffff}]",
        "\\\\[\"\\\\/bfnrt]",
        "\\\\u[0-9a-fA-F]{4}",
        "\\\\u[dD][89abAB][0-9a-f]{2}",
        "\\\\u[dD][c-fC-F][0-9a-f]{2}",
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "null|true|false|NaN|Infinity|-Infinity",
        2 => "-?(0|[1-9][0-9]{0,30})",
        2 => "-?(0|[1-9][0-9]{0,3})\\.[0-9]{1,20}",
        2 => "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,5})?[eE][-+]?[0-9]{1,3}",
        1 => any::<f64>().prop_map(|number| format!("{number:e}")),
        1 => (-20..25_i32, 1..20_u32).prop_map(|(exponent, digits)| format!("{digits}e{exponent}")),
        3 => quoted(),
    ]
}

fn document() -> impl Strategy<Value = String> {
    scalar().prop_recursive(4, 40, 6, |inner| {
        let spaced = (space(), inner, space())
            .prop_map(|(a, value, b)| format!("{a}{value}{b}"))
            .boxed();
        let member = (space(), quoted(), space(), spaced.clone());
        let member = member.prop_map(|(a, key, b, value)| format!("{a}{key}{b}:{value}"));
        let list = proptest::collection::vec(spaced, 0..6);
        let object = proptest::collection::vec(member, 0..6);
        prop_oneof![
            list.prop_map(|values| format!("[{}]", values.join(","))),
            object.prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// Most are whole; of the others one character is another, or missing.
fn text() -> impl Strategy<Value = String> {
    let broken = (
        document(),
        any::<prop::sample::Index>(),
        "[-+.,:eE\\[\\]{}\"\\\\0-9a\u{1}\u{b} ]?",
    );
    let broken = broken.prop_map(|(text, place, instead)| {
        let mut characters: Vec<String> = text.chars().map(String::from).collect();
        let place = place.index(characters.len());
        characters[place] = instead;
        characters.concat()
    });
    prop_oneof![3 => document(), 1 => broken]
}

#[test]
fn it_is_what_python_writes() {
    let mut runner = TestRunner::deterministic();
    let mut texts: Vec<String> = (0..CASES)
        .map(|_| text().new_tree(&mut runner).unwrap().current())
        .collect();
    let edges = [
        "1e16",
        "1e15",
        "9999999999999999.0",
        "0.0001",
        "0.00001",
        "-0",
        "-0.0",
        "-0e9",
        "1e400",
        "-1e400",
        "5e-324",
        "1.7976931348623157e308",
        "0.1",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "1e+",
        "--1",
        "",
        "nul",
        "nulll",
        "nan",
        "-NaN",
        "\u{feff}1",
        "[1,]",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "[1 2]",
        "\"\\u00g0\"",
        "\"\\u+123\"",
        "\"\t\"",
        "\"\u{7f}\"",
        "\"\\x41\"",
        "\"",
        "\"\\",
        "\"\\u",
        "1 1",
        "\u{a0}1",
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"\uffff":1,"\ud83c\udfb5":2,"\ud800":3,"\udfff":4,"z":5}"#,
        "123456789012345678901234567890123456789012345678901234567890",
    ];
    texts.extend(edges.map(str::to_owned));
    texts.push("1".repeat(4300));
    let mut python = Command::new("python3")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    let lines: Vec<String> = texts
        .iter()
        .map(|text| {
            text.bytes()
                .map(|byte| format!("{byte:02x}"))
                .chain(["\n".to_owned()])
                .collect()
        })
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.concat().as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), texts.len());
    let mut read = 0;
    for (text, answer) in texts.iter().zip(answers.lines()) {
        let own = python_json(text);
        read += usize::from(own.is_ok());
        assert_eq!(
            own.unwrap_or_else(|_| "no JSON".to_owned()),
            answer,
            "of {text:?}"
        );
    }
    // Else nothing was compared.
    assert!(read > CASES / 2 && read < texts.len() - 100, "{read}");
}
