//! Texts of one session's states: the newest whole, each older one as what differs from the next.

use std::borrow::Cow;
use std::collections::VecDeque;

use dalsegno::{Error, ErrorKind, Result};
use twox_hash::XxHash3_64;

use crate::delta::Delta;

/// The texts of a session's states, oldest first, in memory that follows what changed between them.
///
/// A text is any bytes: nothing is parsed, and what is not JSON (Python's `NaN`) is kept as well. It is given
/// back byte for byte and proved by a checksum. Keeping one costs a comparison with the newest, at the speed
/// of memory where they agree; the newest is at hand, an older one is joined from its pieces.
///
/// ```
/// use dalsegno_claudmaster::States;
///
/// # fn main() -> dalsegno::Result<()> {
/// let mut states = States::new();
/// let first = states.push(br#"{"turn_count": 1, "weight": NaN}"#);
/// let second = states.push(br#"{"turn_count": 2, "weight": NaN}"#);
/// assert_eq!(&*states.text(first)?, br#"{"turn_count": 1, "weight": NaN}"#);
/// states.remove(first)?;
/// assert_eq!(states.keys().collect::<Vec<_>>(), [second]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct States {
    older: VecDeque<Older>,
    newest: Option<Newest>,
    /// Memory for the next text that is written here, not given.
    spare: Vec<u8>,
    next: u64,
}

/// What a text is called among its [`States`]; never given twice. Later texts have greater keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u64);

#[derive(Debug)]
struct Newest {
    key: Key,
    text: Vec<u8>,
    checksum: u64,
}

#[derive(Debug)]
struct Older {
    key: Key,
    len: usize,
    checksum: u64,
    /// From the text that comes next.
    delta: Delta,
}

impl States {
    /// No texts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.older.len() + usize::from(self.newest.is_some())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// The keys of all texts, oldest first.
    pub fn keys(&self) -> impl Iterator<Item = Key> {
        let newest = self.newest.iter().map(|newest| newest.key);
        self.older.iter().map(|older| older.key).chain(newest)
    }

    /// The memory held, in bytes.
    #[must_use]
    pub fn bytes_held(&self) -> usize {
        let older: usize = self
            .older
            .iter()
            .map(|older| older.delta.bytes_held())
            .sum();
        let newest = self.newest.as_ref().map_or(0, |n| n.text.capacity());
        let own = self.older.capacity() * size_of::<Older>() + self.spare.capacity();
        size_of::<Self>() + own + older + newest
    }

    /// Keeps a copy of `text` as the newest.
    pub fn push(&mut self, text: &[u8]) -> Key {
        self.older
            .extend(self.newest.as_ref().map(|newest| newest.before(text)));
        let mut own = self
            .newest
            .take()
            .map(|newest| newest.text)
            .unwrap_or_default();
        own.clear();
        reserve(&mut own, text.len());
        own.extend_from_slice(text);
        self.set_newest(own)
    }

    /// Keeps what `write` writes as the newest, without a copy of it.
    ///
    /// # Errors
    /// What `write` returns; nothing is changed then.
    pub fn push_with<E>(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> std::result::Result<(), E>,
    ) -> std::result::Result<Key, E> {
        let mut text = std::mem::take(&mut self.spare);
        text.clear();
        let expected = self.newest.as_ref().map_or(0, |newest| newest.text.len());
        reserve(&mut text, expected);
        if let Err(error) = write(&mut text) {
            self.spare = text;
            return Err(error);
        }
        self.older
            .extend(self.newest.as_ref().map(|newest| newest.before(&text)));
        self.spare = self
            .newest
            .take()
            .map(|newest| newest.text)
            .unwrap_or_default();
        Ok(self.set_newest(text))
    }

    fn set_newest(&mut self, text: Vec<u8>) -> Key {
        let key = Key(self.next);
        self.next += 1;
        self.newest = Some(Newest::new(key, text));
        key
    }

    /// A text, as it was kept.
    ///
    /// # Errors
    /// `NotFound` where there is none of that key; `Damaged` where it cannot be proved.
    pub fn text(&self, key: Key) -> Result<Cow<'_, [u8]>> {
        match &self.newest {
            Some(newest) if newest.key == key => {
                prove(&newest.text, newest.checksum)?;
                Ok(Cow::Borrowed(&newest.text))
            }
            _ => Ok(Cow::Owned(self.join(self.place(key)?)?)),
        }
    }

    /// The newest text, if there is one.
    #[must_use]
    pub fn newest(&self) -> Option<&[u8]> {
        self.newest.as_ref().map(|newest| &newest.text[..])
    }

    /// Puts another text in the place of one; its key stays.
    ///
    /// # Errors
    /// `NotFound` where there is none of that key; `Damaged` where a neighbour cannot be proved: nothing is
    /// changed then.
    pub fn replace(&mut self, key: Key, text: &[u8]) -> Result<()> {
        let at = self.place(key)?;
        let before = at
            .checked_sub(1)
            .map(|before| self.join(before))
            .transpose()?;
        if at == self.older.len() {
            self.newest = Some(Newest::new(key, text.to_vec()));
        } else {
            let after = self.join(at + 1)?;
            if let Some(older) = self.older.get_mut(at) {
                *older = Older::new(key, text, checksum(text), &after);
            }
        }
        self.lead(at.wrapping_sub(1), before.as_deref(), text);
        Ok(())
    }

    /// Forgets a text. The oldest goes at once; another one's neighbours are compared.
    ///
    /// # Errors
    /// `NotFound` where there is none of that key; `Damaged` where a neighbour cannot be proved: nothing is
    /// changed then.
    pub fn remove(&mut self, key: Key) -> Result<()> {
        let at = self.place(key)?;
        if at == self.older.len() {
            let text = at
                .checked_sub(1)
                .map(|before| self.join(before))
                .transpose()?;
            let before = self.older.pop_back();
            self.newest = before.zip(text).map(|(before, text)| Newest {
                key: before.key,
                text,
                checksum: before.checksum,
            });
            return Ok(());
        }
        if let Some(before) = at.checked_sub(1) {
            let (text, after) = (self.join(before)?, self.join(at + 1)?);
            self.lead(before, Some(&text), &after);
        }
        self.older.remove(at);
        Ok(())
    }

    /// Makes the text at `at` from another one than before.
    fn lead(&mut self, at: usize, text: Option<&[u8]>, source: &[u8]) {
        if let Some((older, text)) = self.older.get_mut(at).zip(text) {
            older.delta = Delta::between(text, source);
        }
    }

    fn place(&self, key: Key) -> Result<usize> {
        match self.older.binary_search_by_key(&key, |older| older.key) {
            Ok(at) => Ok(at),
            Err(_) if self.newest.as_ref().is_some_and(|n| n.key == key) => Ok(self.older.len()),
            Err(_) => Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no text of key {}; it was removed", key.0),
            )),
        }
    }

    /// The text at a place, joined and proved.
    fn join(&self, at: usize) -> Result<Vec<u8>> {
        let newest = self.newest.as_ref();
        let mut pieces = vec![newest.map_or(&[][..], |newest| &newest.text)];
        for older in self.older.range(at.min(self.older.len())..).rev() {
            pieces = older.delta.apply(&pieces);
        }
        let promised = match self.older.get(at) {
            Some(older) => Some((older.len, older.checksum)),
            None => newest.map(|newest| (newest.text.len(), newest.checksum)),
        };
        let (len, checksum) = promised.unwrap_or_default();
        let mut text = Vec::with_capacity(len);
        for piece in pieces {
            text.extend_from_slice(piece);
        }
        prove(&text, checksum)?;
        Ok(text)
    }
}

impl Newest {
    fn new(key: Key, text: Vec<u8>) -> Self {
        let checksum = checksum(&text);
        Self {
            key,
            text,
            checksum,
        }
    }

    /// As it is kept once `text` is the newest.
    fn before(&self, text: &[u8]) -> Older {
        Older::new(self.key, &self.text, self.checksum, text)
    }
}

impl Older {
    fn new(key: Key, text: &[u8], checksum: u64, source: &[u8]) -> Self {
        Self {
            key,
            len: text.len(),
            checksum,
            delta: Delta::between(text, source),
        }
    }
}

/// Room for a text of about that length, a little growth included.
fn reserve(text: &mut Vec<u8>, len: usize) {
    if text.capacity() < len {
        text.reserve_exact(len + len / 16);
    }
}

fn checksum(text: &[u8]) -> u64 {
    XxHash3_64::oneshot(text)
}

fn prove(text: &[u8], promised: u64) -> Result<()> {
    if checksum(text) == promised {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Damaged,
        "the state in memory is not the one that was kept: its checksum differs",
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(n: usize) -> Vec<u8> {
        let words: Vec<String> = (0..300).map(|w| format!("word {w}")).collect();
        format!(
            "{{\"turn\": {n}, \"x\": NaN, \"words\": \"{}\"}}",
            words.join(" ")
        )
        .into_bytes()
    }

    #[test]
    fn what_cannot_be_proved_is_an_error() {
        let mut states = States::new();
        let keys: Vec<Key> = (0..5).map(|n| states.push(&text(n))).collect();
        states.older[2].checksum ^= 1;
        for (n, key) in keys.iter().enumerate() {
            match states.text(*key) {
                Ok(found) => assert!(n != 2 && *found == text(n)),
                Err(error) => assert!(n == 2 && error.kind() == ErrorKind::Damaged),
            }
        }
        // Nothing is made from it.
        for refused in [states.remove(keys[3]), states.replace(keys[3], b"{}")] {
            assert_eq!(refused.map_err(|e| e.kind()), Err(ErrorKind::Damaged));
        }
        assert_eq!(states.len(), 5);
        states.replace(keys[2], &text(2)).unwrap();
        assert!(
            *states.text(keys[2]).unwrap() == text(2),
            "a good text heals it"
        );
        states.newest.as_mut().unwrap().text[9] ^= 1;
        let all = keys.iter().map(|key| states.text(*key).is_err());
        assert!(all.clone().next_back() == Some(true) && all.clone().filter(|e| *e).count() >= 1);
    }

    #[test]
    fn a_text_that_could_not_be_written_changes_nothing() {
        let mut states = States::new();
        let key = states.push(b"one");
        let refused = states.push_with(|text| {
            text.extend(b"half");
            Err("full")
        });
        assert_eq!(refused, Err("full"));
        assert_eq!(states.keys().collect::<Vec<_>>(), [key]);
        let second = states.push_with(|text| {
            text.extend(b"two");
            Ok::<_, ()>(())
        });
        assert_eq!(states.text(second.unwrap()).unwrap(), &b"two"[..]);
        assert_eq!(states.text(key).unwrap(), &b"one"[..]);
    }

    #[test]
    fn memory_follows_the_change() {
        let mut states = States::new();
        let long = |n: usize| [vec![b'x'; 1 << 20], text(n)].concat();
        states.push(&long(0));
        let one = states.bytes_held();
        for n in 1..=100 {
            states.push(&long(n));
        }
        let each = (states.bytes_held() - one) / 100;
        assert!(each < 400, "{each} bytes for each further text");
    }

    #[derive(Debug, Clone)]
    enum Verb {
        Push(usize),
        Write(usize),
        Replace(prop::sample::Index, usize),
        Remove(prop::sample::Index),
    }

    fn verb() -> impl Strategy<Value = Verb> {
        let at = any::<prop::sample::Index>;
        prop_oneof![
            3 => (0..2000_usize).prop_map(Verb::Push),
            2 => (0..2000_usize).prop_map(Verb::Write),
            1 => (at(), 0..2000_usize).prop_map(|(at, n)| Verb::Replace(at, n)),
            2 => at().prop_map(Verb::Remove),
        ]
    }

    proptest! {
        #[test]
        fn texts_are_those_of_a_plain_list(verbs in prop::collection::vec(verb(), 0..40)) {
            let (mut states, mut model): (_, Vec<(Key, Vec<u8>)>) = (States::new(), Vec::new());
            for verb in verbs {
                match verb {
                    Verb::Push(n) => model.push((states.push(&text(n)), text(n))),
                    Verb::Write(n) => {
                        let key = states.push_with(|to| {
                            to.extend(text(n));
                            Ok::<_, ()>(())
                        });
                        model.push((key.unwrap(), text(n)));
                    }
                    Verb::Replace(at, n) if !model.is_empty() => {
                        let (key, known) = &mut model[at.index(states.len())];
                        states.replace(*key, &text(n)).unwrap();
                        *known = text(n);
                    }
                    Verb::Remove(at) if !model.is_empty() => {
                        let (key, _) = model.remove(at.index(states.len()));
                        states.remove(key).unwrap();
                        prop_assert_eq!(states.text(key).map_err(|e| e.kind()), Err(ErrorKind::NotFound));
                    }
                    Verb::Replace(..) | Verb::Remove(_) => {}
                }
                prop_assert_eq!(states.len(), model.len());
                prop_assert!(states.keys().eq(model.iter().map(|(key, _)| *key)));
                prop_assert_eq!(states.newest(), model.last().map(|(_, text)| &text[..]));
                for (key, text) in &model {
                    prop_assert!(*states.text(*key).unwrap() == text[..]);
                }
            }
        }
    }
}
