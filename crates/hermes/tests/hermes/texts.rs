//! Texts that are JSON, nearly JSON, or not at all: the same ones for the same seed.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Scalars and the like, good and bad; each is tried in several places.
const PIECES: &[&str] = &[
    "0",
    "-0",
    "1",
    "-1",
    "10",
    "01",
    "-01",
    "00",
    "+1",
    "1.",
    "1.0",
    "-1.5",
    ".5",
    "-.5",
    "1..2",
    "1.e5",
    "1e5",
    "1E+5",
    "1e-5",
    "1e",
    "1e+",
    "1ee5",
    "1e5.0",
    "0e0",
    "0.0e-0",
    "1E400",
    "-1E400",
    "1_000",
    "0x10",
    "1 2",
    "- 1",
    "--1",
    "NaN",
    "-NaN",
    "nan",
    "Na",
    "NaNN",
    "Infinity",
    "-Infinity",
    "+Infinity",
    "Inf",
    "-Inf",
    "infinity",
    "Infinit",
    "-Infinit",
    "Infinityy",
    "-I",
    "true",
    "false",
    "null",
    "True",
    "tru",
    "truee",
    "nul",
    "nulll",
    "fals",
    "none",
    "undefined",
    "\"\"",
    "\"a\"",
    "'a'",
    "\"",
    "\"a",
    "a\"",
    "\"\\\"",
    "\"\\\\\"",
    "\"\\\\\\\"",
    "\"\\/\"",
    "\"\\b\\f\\n\\r\\t\"",
    "\"\\v\"",
    "\"\\a\"",
    "\"\\'\"",
    "\"\\0\"",
    "\"\\x41\"",
    "\"\\u0041\"",
    "\"\\U0041\"",
    "\"\\u004\"",
    "\"\\u004g\"",
    "\"\\u 041\"",
    "\"\\u+041\"",
    "\"\\u-041\"",
    "\"\\u0x41\"",
    "\"\\u00_1\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud83d\\u0041\"",
    "\"\\ud83d\\n\"",
    "\"\\ud83d\\\"",
    "\"\\ud83d\\u\"",
    "\"\\ud83d\\ude0\"",
    "\"\\ud83d\\ud83d\\ude00\"",
    "\"\\uD83D\\uDE00\"",
    "\"\\u0000\"",
    "\"\u{0}\"",
    "\"\u{1}\"",
    "\"\u{1f}\"",
    "\"\u{20}\"",
    "\"\u{7f}\"",
    "\"\u{80}\"",
    "\"\u{9f}\"",
    "\"\t\"",
    "\"\n\"",
    "\"\r\"",
    "\"\r\n\"",
    "\"\u{2028}\"",
    "\"é漢😀\"",
    "\"\u{feff}\"",
    "\u{feff}1",
    "[]",
    "[ ]",
    "[,]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "[1,,2]",
    "[1",
    "1]",
    "[1]]",
    "[[1]",
    "[\n]",
    "[\u{b}]",
    "[\u{c}1]",
    "[\u{a0}1]",
    "[\u{2003}1]",
    "{}",
    "{ }",
    "{,}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{\"a\" :1}",
    "{\"a\": 1 , \"b\" : 2 }",
    "{\"a\":1 \"b\":2}",
    "{\"a\"::1}",
    "{:1}",
    "{1:1}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":1",
    "{\"a\"",
    "{\"a\":1}}",
    "{[]:1}",
    "{null:1}",
    "// no",
    "/* no */ 1",
    "#",
    ";",
    "",
    " ",
    "\u{0}",
    "\\",
    "\\u0031",
    "١",
    "²",
    "1²",
];

/// Keys that are, or are not, `messages`.
const KEYS: &[&str] = &[
    "messages",
    "\\u006dessages",
    "m\\u0065ssages",
    "\\u006D\\u0065\\u0073\\u0073\\u0061\\u0067\\u0065\\u0073",
    "message\\u0073",
    "message",
    "messagess",
    "Messages",
    "messages\\u0000",
    "messages ",
    " messages",
    "",
    "mess\\/ages",
    "mess\\u0061ges",
    "messag\\ud800es",
    "\\nmessages",
    "messages\\b",
    "\\u016dessages",
    "\\u006d",
    "messageſ",
    "mmessages",
    "mess\\\\ages",
    "messages\\\"",
    "\\u004dessages",
];

/// Some thousand texts, of which about half are JSON.
pub(crate) fn all(seed: u64) -> Vec<Vec<u8>> {
    let mut texts = by_hand();
    texts.extend(some(seed, 1500));
    texts
}

/// So many texts that are JSON, and four times as many that are spoilt.
pub(crate) fn some(seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut texts = Vec::new();
    let mut good = Vec::new();
    for _ in 0..count {
        let mut text = String::new();
        space(&mut rng, &mut text);
        if rng.random_bool(0.9) {
            session(&mut rng, &mut text);
        } else {
            value(&mut rng, &mut text, 0);
        }
        space(&mut rng, &mut text);
        good.push(text.into_bytes());
    }
    for _ in 0..4 {
        for text in &good {
            texts.push(spoilt(&mut rng, text));
        }
    }
    texts.extend(good);
    texts
}

fn by_hand() -> Vec<Vec<u8>> {
    let mut texts: Vec<String> = Vec::new();
    for piece in PIECES {
        for (before, after) in [
            ("", ""),
            (" ", "\n"),
            ("{\"messages\":", "}"),
            ("{\"messages\":[", "]}"),
            ("{\"messages\":[1,", ",{}]}"),
            ("{\"messages\":[[", "]]}"),
            ("{\"messages\":[],\"a\":", "}"),
            ("{\"a\":", ",\"messages\":[1,2]}"),
            ("{\"messages\":[1]}", ""),
            ("", "{\"messages\":[1]}"),
            ("{\"messages\":[1]", "}"),
        ] {
            texts.push(format!("{before}{piece}{after}"));
        }
    }
    for key in KEYS {
        texts.push(format!("{{\"{key}\":[1,2,3]}}"));
        texts.push(format!("{{\"messages\":[1],\"{key}\":[1,2,3]}}"));
        texts.push(format!("{{\"{key}\":[1,2,3],\"messages\":[1]}}"));
        texts.push(format!("{{\"messages\":[1],\"{key}\":{{}}}}"));
        texts.push(format!("{{\"messages\":[1],\"{key}\":null}}"));
        texts.push(format!("{{\"a\":{{\"{key}\":[1,2]}}}}"));
        texts.push(format!("[{{\"{key}\":[1,2]}}]"));
        texts.push(format!(
            "{{\"messages\":[{{\"{key}\":[1,2]}},[1,[2],{{}}],\"x\",[]]}}"
        ));
        texts.push(format!("{{\"a\":\"{key}\",\"b\":[1]}}"));
    }
    // 4,300 digits and one more; 994 levels and one more.
    for digits in [4299, 4300, 4301, 9000] {
        let number = "7".repeat(digits);
        for whole in [
            number.clone(),
            format!("-{number}"),
            format!("{number}.5"),
            format!("{number}e1"),
            format!("0.{number}"),
            format!("1e{}", "0".repeat(digits)),
            format!("{number}."),
        ] {
            texts.push(format!("{{\"messages\":[{whole}]}}"));
            texts.push(format!("{{\"messages\":[1],\"a\":{whole}}}"));
            texts.push(whole);
        }
    }
    for levels in [63, 64, 65, 992, 993, 994, 995, 996, 2_000, 100_000] {
        let (lists, ends) = ("[".repeat(levels), "]".repeat(levels));
        let (objects, closes) = ("{\"a\":".repeat(levels), "}".repeat(levels));
        texts.push(format!("{{\"messages\":[1,2],\"a\":{lists}{ends}}}"));
        texts.push(format!("{{\"messages\":[1,{lists}{ends}]}}"));
        texts.push(format!("{{\"messages\":[1,{objects}1{closes}]}}"));
        texts.push(format!(
            "{{\"messages\":[1,{objects}{lists}{ends}{closes}]}}"
        ));
        texts.push(format!("{{\"messages\":[1,{lists}]}}"));
        texts.push(format!("{lists}{ends}"));
        texts.push(lists);
        texts.push(objects);
    }
    let mut texts: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    let around = |bytes: &[u8]| [b"{\"messages\":[\"", bytes, b"\"]}"].concat();
    for bytes in [
        &b"\xff"[..],
        b"\x80",
        b"\xc0\x80",
        b"\xc3",
        b"\xc3\xa9",
        b"\xe2\x82",
        b"\xe2\x82\xac",
        b"\xed\xa0\x80",
        b"\xed\x9f\xbf",
        b"\xf0\x9f\x98\x80",
        b"\xf0\x9f\x98",
        b"\xf4\x8f\xbf\xbf",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xef\xbf\xbe",
        b"\xe0\x80\xaf",
    ] {
        texts.push(around(bytes));
        texts.push(bytes.to_vec());
        texts.push([b"{\"messages\":[]}", bytes].concat());
    }
    texts.push(b"\xef\xbb\xbf{\"messages\":[]}".to_vec());
    texts.push(
        "{\"messages\":[]}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect(),
    );
    texts.push(vec![0; 5000]);
    texts
}

fn session(rng: &mut StdRng, text: &mut String) {
    let members = rng.random_range(0..5);
    text.push('{');
    for member in 0..members {
        if member > 0 {
            text.push(',');
        }
        space(rng, text);
        text.push('"');
        if rng.random_bool(0.5) {
            text.push_str("messages");
        } else {
            text.push_str(KEYS[rng.random_range(0..KEYS.len())]);
        }
        text.push('"');
        space(rng, text);
        text.push(':');
        space(rng, text);
        if rng.random_bool(0.7) {
            list(rng, text, 1);
        } else {
            value(rng, text, 1);
        }
        space(rng, text);
    }
    if members == 0 {
        space(rng, text);
    }
    text.push('}');
}

fn list(rng: &mut StdRng, text: &mut String, depth: usize) {
    text.push('[');
    space(rng, text);
    for item in 0..rng.random_range(0..6) {
        if item > 0 {
            text.push(',');
        }
        space(rng, text);
        value(rng, text, depth + 1);
        space(rng, text);
    }
    text.push(']');
}

fn value(rng: &mut StdRng, text: &mut String, depth: usize) {
    match rng.random_range(0..if depth > 6 { 6 } else { 9 }) {
        0 => text.push_str(
            ["true", "false", "null", "NaN", "Infinity", "-Infinity"][rng.random_range(0..6)],
        ),
        1 | 2 => number(rng, text),
        3..=5 => string(rng, text),
        6 => session(rng, text),
        _ => list(rng, text, depth),
    }
}

fn number(rng: &mut StdRng, text: &mut String) {
    let number: f64 = rng.random_range(-1e9..1e9);
    match rng.random_range(0..4) {
        0 => text.push_str(&rng.random::<i64>().to_string()),
        1 => text.push_str(&number.to_string()),
        2 => text.push_str(&format!("{number:e}")),
        _ => text.push_str(
            [
                "0",
                "-0",
                "0.0",
                "1E+2",
                "-0e-0",
                "123456789012345678901234567890",
            ][rng.random_range(0..6)],
        ),
    }
}

fn string(rng: &mut StdRng, text: &mut String) {
    text.push('"');
    let length = [0, 1, 7, 8, 9, 31, 70, 200][rng.random_range(0..8)];
    for _ in 0..rng.random_range(0..=length) {
        match rng.random_range(0..40) {
            0 => text.push_str(
                [
                    "\\n",
                    "\\\"",
                    "\\\\",
                    "\\/",
                    "\\u00e9",
                    "\\ud83d\\ude00",
                    "\\ud800",
                ][rng.random_range(0..7)],
            ),
            1 => text.push(['é', '漢', '😀', '\u{7f}', '\u{2028}'][rng.random_range(0..5)]),
            _ => text.push(char::from(rng.random_range(b'a'..=b'z'))),
        }
    }
    text.push('"');
}

fn space(rng: &mut StdRng, text: &mut String) {
    if rng.random_bool(0.3) {
        text.push_str([" ", "\n", "\t", "\r\n", "\n          ", "  "][rng.random_range(0..6)]);
    }
}

/// A text with one thing wrong, or perhaps nothing.
fn spoilt(rng: &mut StdRng, text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    let at = rng.random_range(0..=text.len());
    match rng.random_range(0..6) {
        0 => text.truncate(at),
        1 => text.insert(
            at,
            b"[]{}:,\"\\ \n0-.eE+NItfn/u\x00\x1f\x80\xc3"[rng.random_range(0..27)],
        ),
        2 if at < text.len() => drop(text.remove(at)),
        3 if at < text.len() => text[at] = rng.random(),
        4 if at < text.len() => text[at] ^= 1 << rng.random_range(0..8),
        _ => {
            let other = rng.random_range(0..=text.len());
            let (from, to) = (at.min(other), at.max(other));
            let part = text[from..to].to_vec();
            text.splice(from..from, part);
        }
    }
    text
}
