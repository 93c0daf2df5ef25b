//! Documents of all kinds, good and bad: taken and given back byte for byte, or refused with a reason
//! and nothing changed.

use dalsegno::{Engine, ErrorKind, MAX_DEPTH, Query};

use crate::common::{engine_on, memory};

const TAKEN: [&str; 44] = [
    "{}",
    "[]",
    "0",
    "-0",
    "-0.0",
    "null",
    "true",
    "false",
    "\"\"",
    "\"a\"",
    " 1 ",
    "\t[\r\n]\n",
    "1e5",
    "1E+5",
    "1e-5",
    "-1.5e00",
    "0.0000000000000000000000000000000000001",
    // Beyond every machine's numbers: kept as they are spelled.
    "1e999",
    "-1e-99999999999999999999",
    "123456789012345678901234567890123456789012345678901234567890",
    "0.1234567890123456789012345678901234567890123456789",
    // Duplicate keys: all are kept.
    "{\"a\":1,\"a\":2}",
    "{\"\":{\"\":{\"\":\"\"}},\"\":0}",
    // Escapes as they are spelled, lone surrogates too.
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\ud834\\udd1e\"",
    "{\"\\ud800\":\"\\uDFFF\"}",
    "\"\\u0000\"",
    "\"\\/\\b\\f\\n\\r\\t\\\"\\\\\"",
    "\"\\u0041 and A\"",
    // Anything from U+0020 on may stand in a string, and the ends of Unicode.
    "\"\u{7f}\u{80}\u{a0}\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}\u{10ffff}\"",
    "\"漢字🎵é\"",
    "[[],[[]],{},{\"a\":[]}]",
    "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27]",
    "[true,false,null,true,false,null,true,false,null,true,false,null,true,false]",
    "{\"a\" : [ 1 ,\n2 ] , \"b\"\t:\t{ } }",
    "\"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg==\"",
    "\"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eh==\"",
    "\"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5eg=\"",
    "{\"turn\":9223372036854775807}",
    "{\"turn\":-9223372036854775808}",
    "{\"turn\":9223372036854775808}",
    "{\"turn_count\":null,\"turn\":[1]}",
    "[\"\\\\\",\"\\\\\\\"\",\"]\",\"{\"]",
];

const REFUSED: [(&[u8], &str); 55] = [
    (b"", "empty"),
    (b" ", "empty"),
    (b"\r\n\t ", "empty"),
    (b"\xef\xbb\xbf", "byte order mark"),
    (b"\xef\xbb\xbf{}", "byte order mark"),
    (b"\xff\xfe{\0}\0", "UTF-8"),
    (b"\"\xff\"", "UTF-8"),
    (b"\"\xc3\"", "UTF-8"),
    (b"\"\xed\xa0\x80\"", "UTF-8"),
    (b"\"\xf4\x90\x80\x80\"", "UTF-8"),
    (b"\"\xc0\x80\"", "UTF-8"),
    (b"{}\xff", "UTF-8"),
    (b"\x00", "0x00"),
    (b"\x1f\x8b\x08\x00", "UTF-8"),
    (b"SQLite format 3\0", "'S'"),
    (b"NaN", "NaN"),
    (b"[Infinity]", "Infinity"),
    (b"-Infinity", "a digit"),
    (b"nul", "a value"),
    (b"nulL", "a value"),
    (b"True", "a value"),
    (b"undefined", "a value"),
    (b"'a'", "a value"),
    (b"+1", "a value"),
    (b".5", "a value"),
    (b"5.", "a digit"),
    (b"01", "the end of the text"),
    (b"-", "a digit"),
    (b"- 1", "a digit"),
    (b"1e", "a digit"),
    (b"1e+", "a digit"),
    (b"1.e1", "a digit"),
    (b"0x10", "the end of the text"),
    (b"1_000", "the end of the text"),
    (b"\"a", "the end of the string"),
    (b"\"a\\", "a known escape"),
    (b"\"\\x41\"", "a known escape"),
    (b"\"\\u12\"", "four hexadecimal digits"),
    (b"\"\\u12g4\"", "four hexadecimal digits"),
    (b"\"a\nb\"", "an escaped control character"),
    (b"\"a\tb\"", "an escaped control character"),
    (b"\"\x01\"", "an escaped control character"),
    (b"\"\x1f\"", "an escaped control character"),
    (b"[", "a value"),
    (b"[1", "',' or ']'"),
    (b"[1,]", "a value"),
    (b"[,1]", "a value"),
    (b"[1 2]", "',' or ']'"),
    (b"{\"a\"}", "':'"),
    (b"{\"a\":}", "a value"),
    (b"{\"a\":1,}", "a member's name in quotes"),
    (b"{a:1}", "a member's name in quotes"),
    (b"{1:1}", "a member's name in quotes"),
    (b"{\"a\":1]", "',' or '}'"),
    (b"[1] // a comment", "the end of the text"),
];

fn taken(engine: &Engine, text: &[u8]) {
    let saved = engine.save_json("s", text.to_vec()).commit();
    let shown = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
    let saved = saved.unwrap_or_else(|error| panic!("{shown}: {error}"));
    assert_eq!(saved.size, text.len() as u64, "{shown}");
    let restored = engine.restore(&saved.id.to_string()).unwrap();
    assert!(restored.text() == text, "{shown}: another text");
    assert!(restored.components().is_ok(), "{shown}");
    let shown = dalsegno::pretty(text);
    assert!(dalsegno::fuzzing::takes(&shown));
}

fn count(engine: &Engine) -> usize {
    engine
        .list(&Query {
            limit: 10_000,
            ..Query::default()
        })
        .unwrap()
        .snapshots
        .len()
}

fn refused(engine: &Engine, text: &[u8], why: &str) {
    let shown = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
    let before = count(engine);
    for session in ["s", "new"] {
        let error = engine
            .save_json(session, text.to_vec())
            .commit()
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{shown:?}");
        let message = error.to_string();
        assert!(message.contains(why), "{shown:?}: {message}");
    }
    assert_eq!(count(engine), before, "{shown:?}");
    assert!(!engine.sessions().unwrap().contains(&"new".to_owned()));
}

/// First each by itself, then each on top of what was saved before it, in both orders.
#[test]
fn what_is_json_is_kept_as_it_is() {
    for text in TAKEN {
        taken(&engine_on(memory()), text.as_bytes());
    }
    let engine = engine_on(memory());
    for text in TAKEN.iter().chain(TAKEN.iter().rev()) {
        taken(&engine, text.as_bytes());
        // And inside of something.
        taken(&engine, format!("[{text},{text}]").as_bytes());
        taken(
            &engine,
            format!("{{\"k\":{text},\"list\":[{text}, 1 ,{text}]}}\n").as_bytes(),
        );
    }
    assert!(engine.verify(None).unwrap().is_intact());
}

#[test]
fn what_is_not_json_is_refused_and_nothing_changes() {
    for earlier in [
        "{\"a\":1}",
        "[1,2,[3]]",
        "\"a long enough string to be an item of its own, you see\"",
    ] {
        let engine = engine_on(memory());
        taken(&engine, earlier.as_bytes());
        for (text, why) in REFUSED {
            refused(&engine, text, why);
        }
        taken(&engine, b"{\"a\":2}");
        assert!(engine.verify(None).unwrap().is_intact());
    }
}

/// Pieces of the first stand in the second, where they are something else.
#[test]
fn what_looks_like_the_state_before_is_read_as_what_it_is() {
    let long = "a string that is longer than sixty-four bytes, so that it is an item of its own";
    let pairs = [
        (
            "[\"a\",\"b\"]".to_owned(),
            "{\"k\":\"a\",\"b\":1}".to_owned(),
        ),
        ("[1,2]".to_owned(), "{\"k\":1,\"2\":1}".to_owned()),
        ("[1,2]".to_owned(), "[1,23]".to_owned()),
        ("[12,[]]".to_owned(), "[123,[]]".to_owned()),
        ("[true]".to_owned(), "{\"a\":true}".to_owned()),
        (
            format!("[\"{long}\"]"),
            format!("{{\"{long}\":\"{long}\"}}"),
        ),
        (format!("{{\"{long}\":1}}"), format!("[\"{long}\",1]")),
        ("[[1],[2]]".to_owned(), "{\"a\":[1],\"b\":[2]}".to_owned()),
    ];
    for (first, second) in pairs {
        for texts in [[&first, &second], [&second, &first]] {
            let engine = engine_on(memory());
            for text in texts {
                taken(&engine, text.as_bytes());
            }
        }
    }
}

/// Nested in lists, in objects, in both by turns.
fn nested(depth: usize, inner: &str) -> [String; 3] {
    let list = format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth));
    let object = format!("{}{inner}{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    let opening: String = (0..depth)
        .map(|n| if n % 2 == 0 { "[" } else { "{\"b\":" })
        .collect();
    let closing: String = (0..depth)
        .rev()
        .map(|n| if n % 2 == 0 { "]" } else { "}" })
        .collect();
    [list, object, format!("{opening}{inner}{closing}")]
}

#[test]
fn depth_has_a_limit() {
    let engine = engine_on(memory());
    for depth in [127, 128, 129, 5_000, MAX_DEPTH - 1, MAX_DEPTH] {
        for text in nested(depth, "1") {
            taken(&engine, text.as_bytes());
        }
    }
    for depth in [MAX_DEPTH + 1, MAX_DEPTH + 2, 10 * MAX_DEPTH] {
        for text in nested(depth, "1") {
            refused(&engine, text.as_bytes(), "nested deeper than 10000");
        }
    }
    let mut out = Vec::new();
    let exported = engine.export(None, &mut out).unwrap();
    let added = engine_on(memory()).import(&out).unwrap().added;
    assert_eq!(added.len() as u64, exported);
}

/// What stood in the state before is jumped over, not scanned: the limit holds all the same.
#[test]
fn depth_has_the_same_limit_for_what_was_there_before() {
    let piece = nested(1_000, "1")[0].clone();
    let engine = engine_on(memory());
    let list = |times: usize| format!("[{}]", vec![piece.as_str(); times].join(","));
    taken(&engine, list(2).as_bytes());
    for text in nested(MAX_DEPTH - 999, &piece) {
        refused(&engine, text.as_bytes(), "nested deeper than 10000");
    }
    for text in nested(MAX_DEPTH - 1_000, &piece) {
        taken(&engine, text.as_bytes());
        taken(&engine, list(2).as_bytes());
    }
}

/// The value cannot be JSON.
#[test]
fn values_that_are_no_json() {
    let engine = engine_on(memory());
    let odd: std::collections::HashMap<(u8, u8), u8> = [((1, 2), 3)].into_iter().collect();
    let error = engine.save("s", &odd).commit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    // Not a number is null, as in JavaScript.
    let saved = engine
        .save("s", &[f64::NAN, f64::INFINITY, 1.5])
        .commit()
        .unwrap();
    assert_eq!(
        engine.restore(&saved.id.to_string()).unwrap().text(),
        b"[null,null,1.5]"
    );
    assert_eq!(count(&engine), 1);
}
