//! Cutting a text into a document, in one pass that also validates it.
//!
//! Where to cut is a choice, not a rule of the format: any cut joins to the same text, and a record
//! says how its state was cut. The choice here is made so that what programs change lies in few
//! items: elements of lists, and values of the objects around them.
//!
//! With an earlier state at hand, most values are not scanned at all: where its next item stands in
//! the text again, the bytes are compared and jumped over, since they were validated when they came.

use bytes::Bytes;

use super::Document;
use super::join::{AHEAD, Span, join};
use super::lookup::Lookup;
use super::scan::{MAX_DEPTH, Scanner, Start};
use crate::error::{Error, Result};

/// A value up to this size stays whole; above it, it is cut inside.
const LEAF: usize = 4096;
/// A list whose elements reach this size is worth cutting however short it is: its elements move.
const WORTH_MOVING: usize = 64;
/// Elements below this size (small numbers, `true`) are kept in groups, or their bookkeeping would
/// be larger than they are.
const TINY: usize = 8;
/// How large a group of tiny elements grows.
const GROUP: usize = 64;
/// A document is cut into at most this many items, which bounds the memory that hostile text can ask for.
pub const MAX_ITEMS: usize = 1 << 24;

/// A text, cut.
pub(crate) struct Split {
    pub(crate) document: Document,
    /// The integer at the top-level member `turn_count`, else `turn`.
    pub(crate) turn: Option<i64>,
}

/// Cuts `text`, sharing with `like` (an earlier state of the session) what they have in common.
///
/// # Errors
/// `InvalidInput` where `text` is not one JSON value within the limits; the message has the place.
pub(crate) fn split(text: &[u8], like: Option<&Lookup<'_>>) -> Result<Split> {
    let mut splitter = Splitter {
        scan: Scanner::new(text)?,
        text,
        like,
        next: 0,
        spans: Vec::new(),
        stack: Vec::new(),
        turn: None,
        turn_count: None,
    };
    splitter.document()?;
    Ok(Split {
        turn: splitter.turn_count.or(splitter.turn),
        document: join(text, &splitter.spans, like.map(|like| like.document)),
    })
}

/// A container that is open.
struct Frame {
    list: bool,
    place: Place,
    start: usize,
    /// How many spans there were before it.
    mark: usize,
    /// What was expected next of the earlier state when it began.
    expected: usize,
    values: usize,
    /// Something inside is an item of its own, so the container cannot be one.
    keep: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Element,
    Member,
}

struct Splitter<'a, 'b> {
    scan: Scanner<'a>,
    text: &'a [u8],
    like: Option<&'b Lookup<'b>>,
    /// The item of the earlier state that is expected next.
    next: usize,
    spans: Vec<Span>,
    stack: Vec<Frame>,
    turn: Option<i64>,
    turn_count: Option<i64>,
}

impl Splitter<'_, '_> {
    fn document(&mut self) -> Result<()> {
        self.scan.space();
        self.value(Place::Root)?;
        while let Some(frame) = self.stack.last_mut() {
            if self.spans.len() > MAX_ITEMS {
                return Err(Error::invalid(format!(
                    "the document has more than {MAX_ITEMS} values that change on their own; \
                     keep it as several sessions"
                )));
            }
            let (list, first) = (frame.list, frame.values == 0);
            frame.values += 1;
            self.scan.space();
            if self.scan.take(if list { b']' } else { b'}' }) {
                self.close();
                continue;
            }
            if !first {
                let what = if list { "',' or ']'" } else { "',' or '}'" };
                self.scan.expect(b',', what)?;
                self.scan.space();
            }
            if list {
                self.value(Place::Element)?;
            } else {
                self.member()?;
            }
        }
        self.scan.space();
        match self.scan.peek() {
            None => Ok(()),
            Some(_) => Err(self.scan.error("the end of the text after the value")),
        }
    }

    fn member(&mut self) -> Result<()> {
        let start = self.scan.pos();
        if self.scan.peek() != Some(b'"') {
            return Err(self.scan.error("a member's name in quotes"));
        }
        self.scan.string()?;
        let key = self.text.get(start..self.scan.pos()).unwrap_or_default();
        self.scan.space();
        self.scan.expect(b':', "':' after the member's name")?;
        self.scan.space();
        let at = self.scan.pos();
        self.value(Place::Member)?;
        if self.stack.len() == 1 {
            let value = self.text.get(at..self.scan.pos()).unwrap_or_default();
            match key {
                b"\"turn_count\"" => self.turn_count = integer(value),
                b"\"turn\"" => self.turn = integer(value),
                _ => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, place: Place) -> Result<()> {
        if place != Place::Root && self.stands_again() {
            return Ok(());
        }
        let start = self.scan.pos();
        let list = match self.scan.start() {
            Start::Scalar => {
                self.scan.scalar()?;
                self.scalar(start);
                return Ok(());
            }
            Start::List => true,
            Start::Object => false,
        };
        if self.stack.len() >= MAX_DEPTH {
            return Err(Error::invalid(format!(
                "the document is nested deeper than {MAX_DEPTH} levels at byte {start}"
            )));
        }
        self.stack.push(Frame {
            list,
            place,
            start,
            mark: self.spans.len(),
            expected: self.next,
            values: 0,
            keep: false,
        });
        Ok(())
    }

    /// Jumps over the value here if it is one that the earlier state is expected to have here.
    fn stands_again(&mut self) -> bool {
        let Some(like) = self.like else { return false };
        let items = &like.document.items;
        let rest = self.scan.rest();
        let here = |at: &usize| {
            items.get(*at).is_some_and(|item| {
                // A container or a long string ends where it ends; of a number more may follow,
                // and a group of tiny elements is no single value.
                let whole = match item.first() {
                    // It may be as deep as half its length, which counts where it stands now.
                    Some(b'{' | b'[') => self.stack.len() + item.len() / 2 < MAX_DEPTH,
                    Some(b'"') => item.len() > GROUP,
                    _ => false,
                };
                whole && rest.starts_with(item)
            })
        };
        let before = self.next.saturating_sub(1);
        let mut candidates = [self.next, before]
            .into_iter()
            .chain(self.next + 1..self.next + AHEAD);
        let Some(at) = candidates.find(here) else {
            return false;
        };
        let start = self.scan.pos();
        let len = items.get(at).map_or(0, Bytes::len);
        self.scan.skip(len);
        self.next = at + 1;
        self.push(start, Some(at));
        true
    }

    fn scalar(&mut self, start: usize) {
        let end = self.scan.pos();
        let tiny = end - start < TINY;
        let Some(frame) = self.stack.last() else {
            return self.push(start, None);
        };
        if tiny && frame.list {
            let last = self
                .spans
                .get_mut(frame.mark..)
                .and_then(<[Span]>::last_mut);
            if let Some(last) = last.filter(|last| last.group && end - last.start <= GROUP) {
                last.end = end;
                return;
            }
        }
        let group = tiny && frame.list;
        self.next += 1;
        self.push(start, None);
        if let Some(last) = self.spans.last_mut() {
            last.group = group;
        }
    }

    /// Adds the value from `start` to here as an item.
    fn push(&mut self, start: usize, known: Option<usize>) {
        let end = self.scan.pos();
        self.spans.push(Span {
            start,
            end,
            known,
            group: false,
        });
        if let Some(frame) = self.stack.last_mut() {
            frame.keep |= frame.list && end - start >= WORTH_MOVING;
        }
    }

    /// The innermost container ends here: it becomes one item, or what is inside stays cut.
    fn close(&mut self) {
        let Some(frame) = self.stack.pop() else {
            return;
        };
        let end = self.scan.pos();
        let large = end - frame.start > LEAF;
        let cut = match frame.place {
            Place::Root => true,
            Place::Element => large,
            Place::Member => large || frame.keep,
        };
        if cut {
            if let Some(parent) = self.stack.last_mut() {
                parent.keep = true;
            }
            return;
        }
        self.spans.truncate(frame.mark);
        let text = self.text.get(frame.start..end).unwrap_or_default();
        let known = self.like.and_then(|like| like.find(text));
        self.next = known.unwrap_or(frame.expected) + 1;
        self.push(frame.start, known);
    }
}

fn integer(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Document {
        let document = split(text.as_bytes(), None).unwrap().document;
        assert_eq!(
            document.to_text(),
            text.as_bytes(),
            "joined again it is the text"
        );
        document
    }

    fn after(earlier: &str, text: &str) -> Document {
        let earlier = cut(earlier);
        let document = split(text.as_bytes(), Some(&Lookup::new(&earlier)))
            .unwrap()
            .document;
        assert_eq!(
            document.to_text(),
            text.as_bytes(),
            "joined again it is the text"
        );
        document
    }

    fn tracks(from: usize, to: usize) -> Vec<String> {
        let track = |n| {
            format!(
                "{{\"title\":\"track {n}\",\"encoded\":\"{}\"}}",
                format!("{n}").repeat(40)
            )
        };
        (from..to).map(track).collect()
    }

    #[test]
    fn a_list_has_one_gap_between_its_elements_however_long_it_is() {
        let text = format!(
            "{{\"turn\": 7,\n \"queue\": [{}]}}",
            tracks(0, 50).join(",\n  ")
        );
        let document = cut(&text);
        assert_eq!(document.items.len(), 51);
        let times: Vec<u32> = document.gaps.iter().map(|gap| gap.times).collect();
        assert_eq!(times, [1, 1, 49, 1]);
    }

    #[test]
    fn a_track_is_one_item_wherever_it_stands() {
        let t = tracks(0, 3);
        let text = format!(
            "{{\"current\":{},\"history\":[{}],\"next\":[{}]}}",
            t[0], t[1], t[2]
        );
        let items = cut(&text).items;
        assert_eq!(items, t);
    }

    #[test]
    fn what_stood_there_before_is_shared_and_not_copied() {
        let earlier = cut(&format!("[{}]", tracks(0, 20).join(",")));
        let text = format!("[{},{}]", tracks(5, 20).join(","), tracks(30, 31).join(","));
        let lookup = Lookup::new(&earlier);
        let document = split(text.as_bytes(), Some(&lookup)).unwrap().document;
        for (now, then) in document.items.iter().zip(&earlier.items[5..]) {
            assert_eq!(now.as_ptr(), then.as_ptr());
        }
        assert_eq!(document.items.len(), 16);
    }

    #[test]
    fn an_earlier_state_never_lets_bad_text_through() {
        let earlier = format!("{{\"a\":12,\"b\":[{}]}}", tracks(0, 3).join(","));
        let document = cut(&earlier);
        let lookup = Lookup::new(&document);
        let good = earlier.as_bytes();
        for at in 0..good.len() {
            for byte in [b'"', b'{', b']', b',', b'1', b' '] {
                let mut text = good.to_vec();
                text[at] = byte;
                let alone = split(&text, None).is_ok();
                assert_eq!(split(&text, Some(&lookup)).is_ok(), alone, "{at} {byte}");
            }
        }
    }

    #[test]
    fn a_number_is_not_taken_for_the_beginning_of_a_longer_one() {
        let document = after("{\"a\":1,\"b\":2}", "{\"a\":12,\"b\":2}");
        assert_eq!(document.items, ["12", "2"]);
    }

    #[test]
    fn tiny_elements_are_kept_in_groups() {
        let ones = vec!["1"; 10_000].join(",");
        assert!(cut(&format!("[{ones}]")).items.len() < 400);
        let members: Vec<String> = (0..100).map(|n| format!("\"{n}\":{n}")).collect();
        assert_eq!(cut(&format!("{{{}}}", members.join(","))).items.len(), 100);
        // A group of a list never stands for an object's value.
        after("[\"a\",\"b\"]", "{\"k\":\"a\",\"b\":1}");
    }

    #[test]
    fn long_values_are_cut_inside_and_short_ones_are_not() {
        let inner = format!("{{\"messages\":[{}]}}", tracks(0, 40).join(","));
        assert_eq!(cut(&format!("[{inner},{inner}]")).items.len(), 80);
        let inner = format!("{{\"messages\":[{}]}}", tracks(0, 3).join(","));
        assert_eq!(cut(&format!("[{inner},{inner}]")).items.len(), 2);
    }

    #[test]
    fn the_turn_is_a_top_level_integer() {
        let turn = |text: &str| split(text.as_bytes(), None).unwrap().turn;
        assert_eq!(turn("{\"turn\":3,\"turn_count\":42}"), Some(42));
        assert_eq!(turn("{\"turn\":3}"), Some(3));
        assert_eq!(turn("{\"turn\":\"3\",\"x\":{\"turn_count\":4}}"), None);
        assert_eq!(turn("[1]"), None);
    }

    #[test]
    fn any_value_is_a_document() {
        for text in [
            "1",
            " null\n",
            "\"x\"",
            "[]",
            "{}",
            " [ ] ",
            "{\"a\":{}}",
            "[[[]]]",
            "\"\"",
        ] {
            cut(text);
        }
    }

    #[test]
    fn depth_has_a_limit_and_no_recursion() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        cut(&nested(MAX_DEPTH));
        let refused = split(nested(MAX_DEPTH + 1).as_bytes(), None).err().unwrap();
        assert!(
            refused.to_string().contains("deeper than 10000 levels"),
            "{refused}"
        );
        assert!(split(&b"[".repeat(1_000_000), None).is_err());
    }
}
