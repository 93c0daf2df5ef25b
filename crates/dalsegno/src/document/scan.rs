//! Reading JSON text without building values: one strict, forward-only scanner.
//!
//! Strict means RFC 8259: what this scanner takes, every JSON parser takes. It says where a value
//! ends and nothing else; numbers, escapes and white space stay as they were written.

use crate::error::{Error, Result};

/// Nesting beyond this is refused: no program's state needs it, and most parsers give up far earlier.
pub const MAX_DEPTH: usize = 10_000;

/// The largest document, in bytes of text.
pub const MAX_SIZE: usize = 512 << 20;

/// A cursor over JSON text that is known to be UTF-8.
pub(crate) struct Scanner<'a> {
    text: &'a [u8],
    pos: usize,
}

/// How a value begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Object,
    List,
    Scalar,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `text`, after the checks that concern the whole of it.
    pub(crate) fn new(text: &'a [u8]) -> Result<Self> {
        if text.len() > MAX_SIZE {
            return Err(Error::invalid(format!(
                "the document has {} bytes; the limit is {MAX_SIZE} bytes (512 MiB)",
                text.len()
            )));
        }
        if text.starts_with(b"\xef\xbb\xbf") {
            return Err(Error::invalid(
                "not JSON: the text begins with a byte order mark; save it as UTF-8 without one",
            ));
        }
        if simdutf8::basic::from_utf8(text).is_err() {
            let at = simdutf8::compat::from_utf8(text).map_or_else(|e| e.valid_up_to(), |_| 0);
            return Err(Error::invalid(format!(
                "not JSON: byte {at} is not valid UTF-8 (is this a binary file?)"
            )));
        }
        if text.iter().all(|b| is_space(*b)) {
            return Err(Error::invalid(
                "not JSON: the document is empty; a session's state is any JSON value",
            ));
        }
        Ok(Self { text, pos: 0 })
    }

    /// A scanner at the start of a part of such a text.
    pub(crate) fn inside(text: &'a [u8]) -> Self {
        Self { text, pos: 0 }
    }

    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    /// Jumps over bytes that are known to be a whole value.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.pos += bytes;
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.get(self.pos..).unwrap_or_default()
    }

    pub(crate) fn space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.pos += 1;
        }
    }

    /// Takes `byte` if it comes next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.pos += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, byte: u8, what: &str) -> Result<()> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(self.error(what))
        }
    }

    /// Looks at what begins here; the opening bracket is taken, a scalar is not.
    pub(crate) fn start(&mut self) -> Start {
        match self.peek() {
            Some(b'{') => {
                self.pos += 1;
                Start::Object
            }
            Some(b'[') => {
                self.pos += 1;
                Start::List
            }
            _ => Start::Scalar,
        }
    }

    /// Takes a string, number, `true`, `false` or `null`.
    pub(crate) fn scalar(&mut self) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => Err(self.error("a value")),
        }
    }

    /// Takes a string with its quotes. Escapes must be well formed; lone surrogates are.
    pub(crate) fn string(&mut self) -> Result<()> {
        self.expect(b'"', "a string")?;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(control) if control < 0x20 => {
                    return Err(self.error("an escaped control character"));
                }
                Some(_) => self.pos += 1,
                None => return Err(self.error("the end of the string")),
            }
        }
    }

    /// Skips, eight bytes at a time, what is neither a quote, a backslash nor a control character.
    fn plain(&mut self) {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        const HIGH: u64 = ONES << 7;
        while let Some(chunk) = self.rest().first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            // The classic zero-byte test, three times: (x - 1) & !x has its high bit where x was 0.
            let zero = |x: u64| x.wrapping_sub(ONES) & !x;
            let quote = zero(word ^ (ONES * u64::from(b'"')));
            let back = zero(word ^ (ONES * u64::from(b'\\')));
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let found = (quote | back | control) & HIGH;
            if found != 0 {
                // The lowest hit is exact; higher ones may be borrowed, so only it is used.
                self.pos += (found.trailing_zeros() / 8) as usize;
                return;
            }
            self.pos += 8;
        }
    }

    fn escape(&mut self) -> Result<()> {
        self.pos += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.pos += 1,
            Some(b'u') => {
                self.pos += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                        return Err(self.error("four hexadecimal digits after \\u"));
                    }
                    self.pos += 1;
                }
            }
            _ => return Err(self.error("a known escape")),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<()> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.error("a digit"));
        }
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.pos += 1;
        }
        Ok(())
    }

    fn word(&mut self, word: &'static [u8]) -> Result<()> {
        if self.rest().starts_with(word) {
            self.pos += word.len();
            return Ok(());
        }
        Err(self.error("a value"))
    }

    /// "not JSON" with the place, in the terms an editor shows: line and column.
    pub(crate) fn error(&self, expected: &str) -> Error {
        let before = self.text.get(..self.pos).unwrap_or_default();
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|b| **b != b'\n').count() + 1;
        let found = match self.rest().first() {
            None => "the end of the text".to_owned(),
            Some(b) if b.is_ascii_graphic() => format!("'{}'", char::from(*b)),
            Some(b' ') => "a space".to_owned(),
            Some(b) => format!("byte 0x{b:02x}"),
        };
        let hint = match self.rest() {
            [b'N', b'a', b'N', ..] | [b'I', b'n', b'f', ..] => " (NaN and Infinity are not JSON)",
            _ => "",
        };
        Error::invalid(format!(
            "not JSON: line {line}, column {column}: expected {expected}, found {found}{hint}"
        ))
    }
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(text: &str) -> bool {
        let mut scan = Scanner::new(text.as_bytes()).unwrap();
        scan.scalar().is_ok() && scan.peek().is_none()
    }

    #[test]
    fn takes_scalars_as_the_standard_has_them() {
        for good in [
            "0",
            "-0",
            "10.50e-3",
            "1E400",
            "\"\"",
            "\"\\ud800\"",
            "\"ü\\/\"",
            "null",
        ] {
            assert!(scalar(good), "{good}");
        }
        for bad in [
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "-",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "nul",
        ] {
            assert!(!scalar(bad), "{bad}");
        }
    }

    #[test]
    fn finds_the_end_of_a_string_wherever_it_falls_in_a_word() {
        for len in 0..40 {
            for end in ["\"", "\\\"\"", "\\\\\""] {
                let text = format!("\"{}{end}", "é".repeat(len / 2) + &"x".repeat(len % 2));
                assert!(scalar(&text), "{text}");
            }
        }
    }

    #[test]
    fn says_where_and_what_was_expected() {
        let mut scan = Scanner::new(b"\n  NaN").unwrap();
        scan.space();
        let message = scan.scalar().unwrap_err().to_string();
        assert!(message.contains("line 2, column 3"), "{message}");
        assert!(
            message.contains("NaN and Infinity are not JSON"),
            "{message}"
        );
    }

    #[test]
    fn refuses_what_is_no_text() {
        for (text, word) in [
            (&b""[..], "empty"),
            (b" \n", "empty"),
            (b"\xef\xbb\xbf1", "byte order mark"),
            (b"\"\xff\"", "UTF-8"),
        ] {
            let message = Scanner::new(text)
                .err()
                .map(|e| e.to_string())
                .unwrap_or_default();
            assert!(message.contains(word), "{text:?}: {message}");
        }
    }
}
