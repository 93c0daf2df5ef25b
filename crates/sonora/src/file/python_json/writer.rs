//! Writes JSON as Python does.

use std::cmp::Ordering;
use std::fmt::Write;

use super::{Json, Text};

pub(super) fn sorted(value: &Json) -> String {
    let mut writer = Writer {
        out: String::new(),
        indent: None,
    };
    writer.value(value);
    writer.out
}

pub(super) fn indented(value: &Json) -> String {
    let mut writer = Writer {
        out: String::new(),
        indent: Some(0),
    };
    writer.value(value);
    writer.out
}

struct Writer {
    out: String,
    /// How deep it is at; without it, all is on one line and keys are sorted.
    indent: Option<usize>,
}

impl Writer {
    fn value(&mut self, value: &Json) {
        match value {
            Json::Null => self.out.push_str("null"),
            Json::Bool(true) => self.out.push_str("true"),
            Json::Bool(false) => self.out.push_str("false"),
            Json::Int(digits) => self.out.push_str(digits),
            Json::Float(number) => self.out.push_str(&float(*number)),
            Json::Text(text) => self.text(text),
            Json::List(values) => self.all('[', ']', values.iter(), Self::value),
            Json::Object(members) => {
                let mut members: Vec<&(Text, Json)> = members.iter().collect();
                if self.indent.is_none() {
                    members.sort_by(|(one, _), (two, _)| one.by_code_points(two));
                }
                self.all('{', '}', members.into_iter(), |writer, (key, value)| {
                    writer.text(key);
                    writer.out.push_str(": ");
                    writer.value(value);
                });
            }
        }
    }

    fn all<T>(
        &mut self,
        open: char,
        close: char,
        values: impl ExactSizeIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) {
        self.out.push(open);
        let any = values.len() > 0;
        self.indent = self.indent.map(|indent| indent + 1);
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.out.push_str(match self.indent {
                    Some(_) => ",",
                    None => ", ",
                });
            }
            self.line();
            write(self, value);
        }
        self.indent = self.indent.map(|indent| indent - 1);
        if any {
            self.line();
        }
        self.out.push(close);
    }

    fn line(&mut self) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", indent));
        }
    }

    fn text(&mut self, text: &Text) {
        self.out.push('"');
        for unit in &text.0 {
            let plain = u8::try_from(*unit)
                .ok()
                .filter(|byte| matches!(byte, b' '..=b'~'));
            match (unit, plain) {
                (8, _) => self.out.push_str("\\b"),
                (9, _) => self.out.push_str("\\t"),
                (10, _) => self.out.push_str("\\n"),
                (12, _) => self.out.push_str("\\f"),
                (13, _) => self.out.push_str("\\r"),
                (_, Some(byte @ (b'"' | b'\\'))) => self.out.extend(['\\', char::from(byte)]),
                (_, Some(byte)) => self.out.push(char::from(byte)),
                (unit, None) => {
                    // Writing to a string does not fail.
                    let _ = write!(self.out, "\\u{unit:04x}");
                }
            }
        }
        self.out.push('"');
    }
}

/// A float as Python shows it. It changes to an exponent where Rust does, but writes it with its sign and two digits.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let text = format!("{number:?}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    match exponent.strip_prefix('-') {
        Some(small) => format!("{digits}e-{small:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

impl Text {
    /// The order of UTF-16 is another one: halves of pairs come before the last characters that have no pair.
    fn by_code_points(&self, other: &Self) -> Ordering {
        self.code_points().cmp(other.code_points())
    }

    fn code_points(&self) -> impl Iterator<Item = u32> {
        char::decode_utf16(self.0.iter().copied()).map(|unit| match unit {
            Ok(character) => u32::from(character),
            Err(half) => half.unpaired_surrogate().into(),
        })
    }
}
