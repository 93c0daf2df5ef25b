//! Where in a document its items stand: the names and places on the way to each, read off the gaps.
//!
//! A list of 50,000 messages has three gaps, so that this takes no longer for a long list.

use super::scan::Scanner;
use super::{Document, Gap};

/// Documents with more gaps than this are not walked: in them, what changes is small beside the gaps.
const MANY: usize = 4096;

/// Where an item stands: by members of objects, and at last perhaps in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat<'a> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) list: Option<Place>,
}

/// A place in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Tells the lists of a document apart.
    pub(crate) list: usize,
    /// The number of the list's first item.
    pub(crate) first: usize,
    /// The place, if every item of the list before is one element.
    pub(crate) index: u32,
}

/// An object or list that is open.
struct Frame<'a> {
    list: Option<Place>,
    /// The member we are in.
    name: &'a [u8],
    /// All members so far, where that may matter.
    names: Vec<&'a [u8]>,
    /// A seat is inside.
    on_the_way: bool,
}

struct Walk<'a> {
    stack: Vec<Frame<'a>>,
    /// How many of the stack are lists.
    lists: usize,
    /// How many lists there were.
    seen: usize,
}

/// The seats of the items `wanted` (their numbers, rising), for each one `None` where it stands deeper
/// in a list. Nothing where the document has too many gaps, or a name on the way that stands twice
/// or has escapes.
pub(crate) fn seats<'a>(document: &'a Document, wanted: &[usize]) -> Option<Vec<Option<Seat<'a>>>> {
    let mut walk = Walk {
        stack: Vec::with_capacity(4),
        lists: 0,
        seen: 0,
    };
    let mut seats = Vec::with_capacity(wanted.len());
    let mut wanted = wanted.iter().copied().peekable();
    let (mut at, mut steps) = (0_usize, 0);
    for gap in &document.gaps {
        let end = at + gap.times as usize;
        while at < end {
            steps += 1;
            if steps > MANY {
                return None;
            }
            let next = wanted.peek().copied().filter(|next| *next < end);
            if is_separator(&gap.text) {
                let to = next.map_or(end, |next| next + 1);
                let place = walk.stack.last_mut()?.list.as_mut()?;
                place.index = place.index.checked_add(u32::try_from(to - at).ok()?)?;
                at = to;
            } else {
                walk.gap(&gap.text, at)?;
                at += 1;
            }
            if next == Some(at - 1) {
                wanted.next();
                seats.push(walk.seat()?);
            }
        }
    }
    (walk.stack.is_empty() && wanted.next().is_none()).then_some(seats)
}

/// A comma and nothing else but white space.
pub(crate) fn is_separator(gap: &[u8]) -> bool {
    gap.trim_ascii() == b","
}

impl<'a> Walk<'a> {
    /// Passes the gap before the item `at`.
    fn gap(&mut self, text: &'a [u8], at: usize) -> Option<()> {
        let mut scan = Scanner::inside(text);
        loop {
            scan.space();
            let Some(byte) = scan.peek() else {
                return Some(());
            };
            if byte == b'"' {
                let start = scan.pos();
                scan.string().ok()?;
                let name = text.get(start + 1..scan.pos() - 1)?;
                let frame = self.stack.last_mut().filter(|frame| frame.list.is_none())?;
                frame.name = name;
                if self.lists == 0 {
                    frame.names.push(name);
                }
                continue;
            }
            scan.skip(1);
            match byte {
                b'{' | b'[' => self.open(byte == b'[', at),
                b'}' | b']' => self.close(byte == b']')?,
                b',' => {
                    if let Some(place) = self.stack.last_mut()?.list.as_mut() {
                        place.index = place.index.checked_add(1)?;
                    }
                }
                b':' => {}
                _ => return None,
            }
        }
    }

    fn open(&mut self, list: bool, at: usize) {
        self.seen += usize::from(list);
        self.lists += usize::from(list);
        let place = Place {
            list: self.seen,
            first: at,
            index: 0,
        };
        self.stack.push(Frame {
            list: list.then_some(place),
            name: b"",
            names: Vec::with_capacity(if self.lists == 0 { 16 } else { 0 }),
            on_the_way: false,
        });
    }

    fn close(&mut self, list: bool) -> Option<()> {
        let mut frame = self.stack.pop()?;
        self.lists -= usize::from(frame.list.is_some());
        if frame.on_the_way {
            // Of members of one name the last counts, and this one might not be it.
            frame.names.sort_unstable();
            let twice = frame
                .names
                .windows(2)
                .any(|pair| pair.first() == pair.get(1));
            let escaped = frame.names.iter().any(|name| name.contains(&b'\\'));
            if twice || escaped {
                return None;
            }
        }
        (frame.list.is_some() == list).then_some(())
    }

    /// The seat of the item here; `Some(None)` where it is deeper in a list.
    fn seat(&mut self) -> Option<Option<Seat<'a>>> {
        let list = self.stack.last().and_then(|frame| frame.list);
        if self.lists != usize::from(list.is_some()) {
            return Some(None);
        }
        let mut names = Vec::with_capacity(self.stack.len());
        for frame in &mut self.stack {
            frame.on_the_way = true;
            if frame.list.is_none() {
                names.push(std::str::from_utf8(frame.name).ok()?);
            }
        }
        Some(Some(Seat { names, list }))
    }
}

/// The gaps of a document by the number of the item behind them.
pub(crate) struct Gaps<'a> {
    gaps: &'a [Gap],
    /// Where each gap's repetitions end.
    ends: Vec<usize>,
}

impl<'a> Gaps<'a> {
    /// Nothing where there are too many.
    pub(crate) fn of(document: &'a Document) -> Option<Self> {
        let gaps = document.gaps.as_slice();
        let mut end = 0;
        let ends = gaps.iter().map(|gap| {
            end += gap.times as usize;
            end
        });
        (gaps.len() <= MANY).then(|| Self {
            gaps,
            ends: ends.collect(),
        })
    }

    fn place(&self, at: usize) -> usize {
        self.ends.partition_point(|end| *end <= at)
    }

    /// The gap before the item `at`.
    pub(crate) fn at(&self, at: usize) -> &'a [u8] {
        self.gaps.get(self.place(at)).map_or(b"", |gap| &gap.text)
    }

    /// Whether `count` gaps from `from` on are those of `other` from `there` on.
    pub(crate) fn agree(&self, from: usize, other: &Self, there: usize, count: usize) -> bool {
        let (mut from, mut there, mut left) = (from, there, count);
        while left > 0 {
            let (mine, its) = (self.place(from), other.place(there));
            let (Some(a), Some(b)) = (self.gaps.get(mine), other.gaps.get(its)) else {
                return false;
            };
            if a.text != b.text {
                return false;
            }
            let end = |ends: &[usize], place: usize| ends.get(place).copied().unwrap_or(0);
            let step = (end(&self.ends, mine) - from)
                .min(end(&other.ends, its) - there)
                .min(left);
            (from, there, left) = (from + step, there + step, left - step);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::split;
    use super::*;

    fn of(text: &str) -> Document {
        split(text.as_bytes(), None).unwrap().document
    }

    fn all(document: &Document) -> Option<Vec<Option<Seat<'_>>>> {
        let all: Vec<usize> = (0..document.items.len()).collect();
        seats(document, &all)
    }

    fn long(n: usize) -> String {
        format!("{{\"content\":\"{}\"}}", n.to_string().repeat(80))
    }

    #[test]
    fn every_item_has_its_seat() {
        let text = format!(
            "{{\"a\":1,\"b\":{{\"c\":[],\"d\":[{}, {}\n, {}]}},\"e\":true}}",
            long(1),
            long(2),
            long(3)
        );
        let document = of(&text);
        let seats = all(&document).unwrap();
        let said: Vec<String> = seats
            .into_iter()
            .map(|seat| {
                let seat = seat.unwrap();
                let index = seat.list.map(|place| place.index);
                format!("{} {index:?}", seat.names.join("."))
            })
            .collect();
        assert_eq!(
            said,
            [
                "a None",
                "b.c None",
                "b.d Some(0)",
                "b.d Some(1)",
                "b.d Some(2)",
                "e None"
            ]
        );
    }

    #[test]
    fn names_that_stand_twice_are_not_trusted() {
        assert!(all(&of("{\"a\":1,\"b\":2}")).is_some());
        assert!(all(&of("{\"a\":1,\"a\":2}")).is_none());
        assert!(all(&of("{\"a\":1,\"\\u0061\":2}")).is_none());
    }

    #[test]
    fn what_is_deeper_in_a_list_has_no_seat() {
        let text = format!("[{{\"x\":\"{}\"}},{}]", "y".repeat(5000), long(1));
        let document = of(&text);
        let seats = all(&document).unwrap();
        assert_eq!(seats.first().unwrap(), &None);
        let second = seats.last().unwrap().clone().unwrap().list.unwrap();
        assert_eq!((second.index, second.first), (1, 0));
    }

    #[test]
    fn gaps_are_found_and_compared() {
        let list = |n: usize| {
            format!(
                "{{\"l\":[{}],\"z\":0}}",
                (0..n).map(long).collect::<Vec<_>>().join(",")
            )
        };
        let (short, longer) = (of(&list(5)), of(&list(9)));
        let (a, b) = (Gaps::of(&short).unwrap(), Gaps::of(&longer).unwrap());
        assert_eq!(
            (a.at(0), a.at(4), a.at(5)),
            (&b"{\"l\":["[..], &b","[..], &b"],\"z\":"[..])
        );
        assert!(a.agree(0, &b, 0, 5) && !a.agree(0, &b, 0, 6));
        assert!(a.agree(5, &b, 9, 2) && !a.agree(5, &b, 9, 3));
    }
}
