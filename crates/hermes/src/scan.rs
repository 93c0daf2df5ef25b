//! Counting messages without building values: a state machine that is fed pieces of any length.
//!
//! It takes what `json.loads` of CPython 3.11 takes. That is RFC 8259, and `NaN`, `Infinity` and
//! `-Infinity`; whole numbers have a limit, and so has nesting.

use crate::count::Unreadable;
use crate::plain::{Stop, digits, is_simple, skip, spaces};
use crate::utf8::Utf8;

/// The deepest nesting that is read; deeper is [`Unreadable::TooDeep`].
///
/// CPython has no limit of its own here: it takes what is left of the interpreter's 1,000 frames, and
/// raises `RecursionError` beyond. 994 is what is left for `_msg_count` when a script calls it
/// directly, which is the most that it ever takes. A fixed number gives one answer wherever the
/// question is asked.
pub const MAX_DEPTH: usize = 994;

/// The most digits of a whole number, as CPython's `int` has it since 3.11; a sign does not count.
pub const MAX_DIGITS: usize = 4300;

/// What the key is called whose list is counted.
const KEY: &[u8] = b"messages";

/// Where in the grammar the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A value has to begin.
    Value,
    /// After `[`: a value, or the end.
    First,
    /// After `{`: a key, or the end.
    FirstKey,
    /// After a comma in an object.
    Key,
    /// After a key.
    Colon,
    /// After a value: a comma, the end of what it stands in, or of the text.
    After,
    /// In a string.
    Text,
    /// After a backslash.
    Escape,
    /// In `\u`, with so many digits to come.
    Hex(u8),
    /// In a word, with this to come.
    Word(&'static [u8]),
    /// After `-`.
    Minus,
    /// After a number's `0`.
    Zero,
    /// In a whole number.
    Whole,
    /// After a point.
    Point,
    /// In the digits after a point.
    Fraction,
    /// After `e`.
    E,
    /// After the sign of an exponent.
    Sign,
    /// In the digits of an exponent.
    Exponent,
}

/// Counts the messages of one text, fed piece by piece.
///
/// ```
/// let mut counter = dalsegno_hermes::MessageCounter::new();
/// for piece in [&br#"{"mess"#[..], br#"ages": [{"role": "us"#, br#"er"}, NaN]}"#] {
///     counter.feed(piece);
/// }
/// assert_eq!(counter.finish(), Ok(2));
/// ```
#[derive(Debug, Clone)]
pub struct MessageCounter {
    state: State,
    utf8: Utf8,
    wrong: Option<Unreadable>,
    depth: usize,
    /// One bit for each level: whether it is an object.
    objects: [u64; MAX_DEPTH.div_ceil(64)],
    /// Whether the string is a key.
    is_key: bool,
    /// How much of [`KEY`] this key of the outermost object has been so far; nothing where it is another.
    matched: Option<usize>,
    /// The four digits of `\u` so far.
    hex: u32,
    /// Digits of the whole number so far.
    digits: usize,
    /// Whether the value to come is that of [`KEY`].
    wanted: bool,
    /// Whether the list that is open on the second level is the one to count.
    counting: bool,
    is_object: bool,
    messages: Option<u64>,
}

impl Default for MessageCounter {
    fn default() -> Self {
        Self::new()
    }
}

impl MessageCounter {
    /// At the beginning of a text.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Value,
            utf8: Utf8::default(),
            wrong: None,
            depth: 0,
            objects: [0; MAX_DEPTH.div_ceil(64)],
            is_key: false,
            matched: None,
            hex: 0,
            digits: 0,
            wanted: false,
            counting: false,
            is_object: false,
            messages: None,
        }
    }

    /// Takes the next bytes, and says whether there is any use in more.
    pub fn feed(&mut self, piece: &[u8]) -> bool {
        if self.wrong.is_none() {
            let fed = match self.utf8.feed(piece) {
                true => self.take(piece),
                false => Err(Unreadable::Malformed),
            };
            self.wrong = fed.err();
        }
        self.wrong.is_none()
    }

    /// The number of messages, at the end of the text.
    ///
    /// # Errors
    /// `Malformed`, `NoMessages` or `TooDeep`.
    pub fn finish(self) -> Result<u64, Unreadable> {
        if let Some(wrong) = self.wrong {
            return Err(wrong);
        }
        if self.state == State::Whole {
            self.end_whole()?;
        }
        let ended = matches!(
            self.state,
            State::After | State::Zero | State::Whole | State::Fraction | State::Exponent
        );
        if !ended || self.depth != 0 || !self.utf8.is_whole() {
            return Err(Unreadable::Malformed);
        }
        match self.messages {
            Some(count) if self.is_object => Ok(count),
            _ => Err(Unreadable::NoMessages),
        }
    }

    fn take(&mut self, piece: &[u8]) -> Result<(), Unreadable> {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            at += 1;
            match self.state {
                State::Text if self.is_top_key() => self.top_key(byte)?,
                State::Text => match byte {
                    b'"' => self.end_text(),
                    b'\\' => self.state = State::Escape,
                    0..0x20 => return Err(Unreadable::Malformed),
                    _ => at = self.text(piece, at),
                },
                State::After => match byte {
                    b',' => self.comma()?,
                    b'}' => self.close(true)?,
                    b']' => self.close(false)?,
                    _ => at += space(byte, piece, at)?,
                },
                State::Value => at = self.value_or_space(byte, piece, at)?,
                State::First => match byte {
                    b']' => self.close(false)?,
                    _ => at = self.value_or_space(byte, piece, at)?,
                },
                State::FirstKey | State::Key => match byte {
                    b'"' => at = self.begin_text(true, piece, at),
                    b'}' if self.state == State::FirstKey => self.close(true)?,
                    _ => at += space(byte, piece, at)?,
                },
                State::Colon => match byte {
                    b':' => self.state = State::Value,
                    _ => at += space(byte, piece, at)?,
                },
                State::Escape => self.escape(byte)?,
                State::Hex(left) => self.hex(byte, left)?,
                State::Word([next, rest @ ..]) if byte == *next => {
                    self.state = if rest.is_empty() {
                        State::After
                    } else {
                        State::Word(rest)
                    };
                }
                State::Word(_) => return Err(Unreadable::Malformed),
                State::Minus => match byte {
                    b'0' => self.state = State::Zero,
                    b'1'..=b'9' => self.begin_whole(),
                    b'I' => self.state = State::Word(b"nfinity"),
                    _ => return Err(Unreadable::Malformed),
                },
                State::Whole if byte.is_ascii_digit() => {
                    let more = digits(piece.get(at..).unwrap_or_default());
                    self.digits += 1 + more;
                    at += more;
                }
                State::Zero | State::Whole => match byte {
                    b'.' => self.state = State::Point,
                    b'e' | b'E' => self.state = State::E,
                    _ => {
                        if self.state == State::Whole {
                            self.end_whole()?;
                        }
                        self.state = State::After;
                        at -= 1;
                    }
                },
                State::Point => match byte {
                    b'0'..=b'9' => self.state = State::Fraction,
                    _ => return Err(Unreadable::Malformed),
                },
                State::Fraction => match byte {
                    b'0'..=b'9' => at += digits(piece.get(at..).unwrap_or_default()),
                    b'e' | b'E' => self.state = State::E,
                    _ => {
                        self.state = State::After;
                        at -= 1;
                    }
                },
                State::E => match byte {
                    b'+' | b'-' => self.state = State::Sign,
                    b'0'..=b'9' => self.state = State::Exponent,
                    _ => return Err(Unreadable::Malformed),
                },
                State::Sign => match byte {
                    b'0'..=b'9' => self.state = State::Exponent,
                    _ => return Err(Unreadable::Malformed),
                },
                State::Exponent => {
                    if !byte.is_ascii_digit() {
                        self.state = State::After;
                        at -= 1;
                    }
                }
            }
        }
        Ok(())
    }

    /// Goes on in a string, to its end if nothing is in the way.
    #[inline]
    fn text(&mut self, piece: &[u8], at: usize) -> usize {
        match skip(piece.get(at..).unwrap_or_default()) {
            Stop::Quote(length) => {
                self.end_text();
                let after = at + length + 1;
                // What comes next nearly always.
                match (self.state, piece.get(after..)) {
                    (State::Colon, Some([b':', b' ', ..])) => {
                        self.state = State::Value;
                        after + 2
                    }
                    (State::Colon, Some([b':', ..])) => {
                        self.state = State::Value;
                        after + 1
                    }
                    _ => after,
                }
            }
            Stop::Other(length) => at + length,
        }
    }

    /// Begins a value, or skips white space before it, and says where to go on.
    #[inline]
    fn value_or_space(&mut self, byte: u8, piece: &[u8], at: usize) -> Result<usize, Unreadable> {
        let next = match byte {
            b'"' => State::Text,
            b'{' => State::FirstKey,
            b'[' => State::First,
            b'-' => State::Minus,
            b'0' => State::Zero,
            b'1'..=b'9' => State::Whole,
            b't' => State::Word(b"rue"),
            b'f' => State::Word(b"alse"),
            b'n' => State::Word(b"ull"),
            b'N' => State::Word(b"aN"),
            b'I' => State::Word(b"nfinity"),
            _ => return Ok(at + space(byte, piece, at)?),
        };
        let counts = self.depth == 2 && self.counting && self.state == State::First;
        if counts {
            self.messages = Some(1);
        }
        if self.wanted {
            // The last of several wins, also where it is no list.
            self.wanted = false;
            self.counting = next == State::First;
            self.messages = self.counting.then_some(0);
        }
        match next {
            State::Text => return Ok(self.begin_text(false, piece, at)),
            State::FirstKey => self.open(true)?,
            State::First => self.open(false)?,
            State::Whole => self.begin_whole(),
            other => self.state = other,
        }
        Ok(at)
    }

    fn open(&mut self, object: bool) -> Result<(), Unreadable> {
        if self.depth == MAX_DEPTH {
            return Err(Unreadable::TooDeep);
        }
        if self.depth == 0 {
            self.is_object = object;
        }
        let bit = 1 << (self.depth % 64);
        if let Some(word) = self.objects.get_mut(self.depth / 64) {
            *word = if object { *word | bit } else { *word & !bit };
        }
        self.depth += 1;
        self.state = if object {
            State::FirstKey
        } else {
            State::First
        };
        Ok(())
    }

    /// Whether what is open innermost is an object.
    fn in_object(&self) -> bool {
        let level = self.depth.wrapping_sub(1);
        let word = self.objects.get(level / 64);
        word.is_some_and(|word| word >> (level % 64) & 1 == 1)
    }

    fn close(&mut self, object: bool) -> Result<(), Unreadable> {
        if self.depth == 0 || self.in_object() != object {
            return Err(Unreadable::Malformed);
        }
        self.depth -= 1;
        if self.depth == 1 {
            self.counting = false;
        }
        self.state = State::After;
        Ok(())
    }

    fn comma(&mut self) -> Result<(), Unreadable> {
        if self.depth == 0 {
            return Err(Unreadable::Malformed);
        }
        if self.in_object() {
            self.state = State::Key;
            return Ok(());
        }
        if self.depth == 2 && self.counting {
            self.messages = self.messages.map(|count| count + 1);
        }
        self.state = State::Value;
        Ok(())
    }

    fn begin_whole(&mut self) {
        self.digits = 1;
        self.state = State::Whole;
    }

    fn end_whole(&self) -> Result<(), Unreadable> {
        if self.digits > MAX_DIGITS {
            return Err(Unreadable::Malformed);
        }
        Ok(())
    }

    #[inline]
    fn begin_text(&mut self, key: bool, piece: &[u8], at: usize) -> usize {
        self.is_key = key;
        self.matched = Some(0);
        self.state = State::Text;
        if self.is_top_key() {
            return at;
        }
        self.text(piece, at)
    }

    /// Whether the string is a key of the outermost object, the only ones that are looked at.
    #[inline]
    fn is_top_key(&self) -> bool {
        self.depth == 1 && self.is_key
    }

    fn end_text(&mut self) {
        if self.is_top_key() {
            self.wanted = self.matched == Some(KEY.len());
        }
        self.state = if self.is_key {
            State::Colon
        } else {
            State::After
        };
    }

    fn top_key(&mut self, byte: u8) -> Result<(), Unreadable> {
        match byte {
            b'"' => self.end_text(),
            b'\\' => self.state = State::Escape,
            0..0x20 => return Err(Unreadable::Malformed),
            _ => self.compare(u32::from(byte)),
        }
        Ok(())
    }

    /// Compares the next character of a key. Only ASCII can be equal.
    fn compare(&mut self, unit: u32) {
        let place = self.matched.filter(|&place| {
            let wanted = KEY.get(place).copied();
            wanted.is_some_and(|wanted| u32::from(wanted) == unit)
        });
        self.matched = place.map(|place| place + 1);
    }

    fn escape(&mut self, byte: u8) -> Result<(), Unreadable> {
        self.state = match byte {
            b'u' => {
                self.hex = 0;
                State::Hex(4)
            }
            _ if is_simple(byte) => {
                // None of these stands in the key that is looked for.
                self.matched = None;
                State::Text
            }
            _ => return Err(Unreadable::Malformed),
        };
        Ok(())
    }

    fn hex(&mut self, byte: u8, left: u8) -> Result<(), Unreadable> {
        let digit = char::from(byte).to_digit(16);
        self.hex = self.hex << 4 | digit.ok_or(Unreadable::Malformed)?;
        self.state = if left > 1 {
            State::Hex(left - 1)
        } else {
            self.compare(self.hex);
            State::Text
        };
        Ok(())
    }
}

/// Skips `byte` and what white space comes after it.
#[inline]
fn space(byte: u8, piece: &[u8], at: usize) -> Result<usize, Unreadable> {
    match byte {
        b' ' | b'\t' | b'\n' | b'\r' => Ok(spaces(piece.get(at..).unwrap_or_default())),
        _ => Err(Unreadable::Malformed),
    }
}
