//! Reads JSON as Python does.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use dalsegno::{Error, ErrorKind, Result};

use super::{Json, MAX_DEPTH, Text};

/// Python makes no integers of more digits out of text.
const MAX_DIGITS: usize = 4300;

/// What Python reads besides JSON's own words.
const WORDS: [(&str, Json); 6] = [
    ("null", Json::Null),
    ("true", Json::Bool(true)),
    ("false", Json::Bool(false)),
    ("NaN", Json::Float(f64::NAN)),
    ("Infinity", Json::Float(f64::INFINITY)),
    ("-Infinity", Json::Float(f64::NEG_INFINITY)),
];

pub(super) fn read(text: &str) -> Result<Json> {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    let value = reader.value(0)?;
    reader.space();
    match reader.at == text.len() {
        true => Ok(value),
        false => Err(reader.wrong("the end was expected")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes on behind `byte`, if it comes next.
    fn skip(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn skip_while(&mut self, like: impl Fn(u8) -> bool) -> usize {
        let count = self.rest().bytes().take_while(|byte| like(*byte)).count();
        self.at += count;
        count
    }

    fn space(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn wrong(&self, what: &str) -> Error {
        let message = format!("no JSON: {what} at byte {}", self.at);
        Error::new(ErrorKind::InvalidInput, message)
    }

    fn value(&mut self, depth: usize) -> Result<Json> {
        if depth > MAX_DEPTH {
            let message = format!(
                "it is nested deeper than {MAX_DEPTH} levels at byte {}",
                self.at
            );
            return Err(Error::new(ErrorKind::InvalidInput, message));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.quoted().map(Json::Text),
            _ => self.word_or_number(),
        }
    }

    fn word_or_number(&mut self) -> Result<Json> {
        let word = WORDS.iter().find(|(word, _)| self.rest().starts_with(word));
        if let Some((word, value)) = word {
            self.at += word.len();
            return Ok(value.clone());
        }
        self.number()
    }

    fn number(&mut self) -> Result<Json> {
        let start = self.at;
        self.skip(b'-');
        let digits = match self.peek() {
            Some(b'0') => usize::from(self.skip(b'0')),
            _ => self.digits(),
        };
        if digits == 0 {
            self.at = start;
            return Err(self.wrong("a value was expected"));
        }
        let whole = self.at;
        // What does not complete a fraction or an exponent is not part of the number.
        let before = self.at;
        if !(self.skip(b'.') && self.digits() > 0) {
            self.at = before;
        }
        let before = self.at;
        if !((self.skip(b'e') || self.skip(b'E')) && self.exponent() > 0) {
            self.at = before;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        if self.at > whole {
            let number = text
                .parse()
                .map_err(|_| self.wrong("a number was expected"))?;
            return Ok(Json::Float(number));
        }
        if digits > MAX_DIGITS {
            return Err(self.wrong(&format!("an integer of more than {MAX_DIGITS} digits")));
        }
        Ok(Json::Int(match text {
            "-0" => "0".to_owned(),
            _ => text.to_owned(),
        }))
    }

    fn digits(&mut self) -> usize {
        self.skip_while(|byte| byte.is_ascii_digit())
    }

    fn exponent(&mut self) -> usize {
        let _sign = self.skip(b'+') || self.skip(b'-');
        self.digits()
    }

    fn list(&mut self, depth: usize) -> Result<Json> {
        self.skip(b'[');
        let mut values = Vec::new();
        self.space();
        if self.skip(b']') {
            return Ok(Json::List(values));
        }
        loop {
            self.space();
            values.push(self.value(depth + 1)?);
            self.space();
            if self.skip(b']') {
                return Ok(Json::List(values));
            }
            if !self.skip(b',') {
                return Err(self.wrong("a comma or ] was expected"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json> {
        self.skip(b'{');
        let mut members: Vec<(Text, Json)> = Vec::new();
        let mut places = HashMap::new();
        self.space();
        if self.skip(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a key in quotes was expected"));
            }
            let key = self.quoted()?;
            self.space();
            if !self.skip(b':') {
                return Err(self.wrong("a colon was expected"));
            }
            self.space();
            let value = self.value(depth + 1)?;
            match places.entry(key) {
                Entry::Vacant(place) => {
                    let key = place.key().clone();
                    place.insert(members.len());
                    members.push((key, value));
                }
                Entry::Occupied(place) => {
                    if let Some(member) = members.get_mut(*place.get()) {
                        member.1 = value;
                    }
                }
            }
            self.space();
            if self.skip(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.skip(b',') {
                return Err(self.wrong("a comma or } was expected"));
            }
        }
    }

    fn quoted(&mut self) -> Result<Text> {
        self.skip(b'"');
        let mut units = Vec::new();
        loop {
            let plain = self.at;
            self.skip_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20));
            let piece = self.text.get(plain..self.at).unwrap_or_default();
            units.extend(piece.encode_utf16());
            if self.skip(b'"') {
                return Ok(Text(units));
            }
            if !self.skip(b'\\') {
                return Err(self.wrong("a text does not end, or holds a control character"));
            }
            units.push(self.escaped()?);
        }
    }

    fn escaped(&mut self) -> Result<u16> {
        let wrong = self.wrong("an unknown escape");
        let byte = self.peek().ok_or_else(|| wrong.clone())?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => byte.into(),
            b'b' => 8,
            b'f' => 12,
            b'n' => 10,
            b'r' => 13,
            b't' => 9,
            b'u' => {
                let digits = self.rest().get(..4).unwrap_or_default();
                let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let unit = u16::from_str_radix(digits, 16);
                let unit = unit.ok().filter(|_| hexadecimal).ok_or(wrong)?;
                self.at += 4;
                unit
            }
            _ => return Err(wrong),
        })
    }
}
