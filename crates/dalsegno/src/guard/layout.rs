//! Where a list stands in a text, and how it is written there.

use std::ops::Range;

use crate::document::component::{member_name, whole_value};
use crate::document::scan::Scanner;
use crate::error::{Error, Result};

/// What stands at a path.
pub(super) enum Place {
    /// The list.
    List(Opened),
    /// Nothing from this step on: the object has no such member.
    Missing(Opened, usize),
    /// `null`, at this place, and this many steps on the way to it.
    Null(Range<usize>, usize),
    /// Something else.
    Other,
}

/// An object or a list, opened once.
pub(super) struct Opened {
    list: bool,
    /// Where what is inside begins.
    inside: usize,
    entries: Vec<Entry>,
    /// Where the closing bracket stands.
    close: usize,
}

/// A member or an element.
struct Entry {
    /// The name with its quotes; of an element, nothing.
    name: Range<usize>,
    value: Range<usize>,
}

/// How a list is written: what stands before the first item, between two and after the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) lead: Vec<u8>,
    pub(super) between: Vec<u8>,
    pub(super) trail: Vec<u8>,
}

/// Finds what stands at `path`.
///
/// # Errors
/// `InvalidInput` where the text is not JSON.
pub(super) fn find(text: &[u8], path: &[String]) -> Result<Place> {
    let mut scan = Scanner::new(text)?;
    scan.space();
    let mut at = scan.pos();
    for (step, name) in path.iter().enumerate() {
        let object = match opened(text, at)? {
            Ok(opened) if !opened.list => opened,
            Ok(_) => return Ok(Place::Other),
            Err(value) => return Ok(null_or_other(text, value, step)),
        };
        let named = |entry: &&Entry| member_name(slice(text, &entry.name)) == *name;
        match object.entries.iter().rev().find(named) {
            Some(entry) => at = entry.value.start,
            None => return Ok(Place::Missing(object, step)),
        }
    }
    Ok(match opened(text, at)? {
        Ok(opened) if opened.list => Place::List(opened),
        Ok(_) => Place::Other,
        Err(value) => null_or_other(text, value, path.len()),
    })
}

fn null_or_other(text: &[u8], value: Range<usize>, step: usize) -> Place {
    if slice(text, &value) == b"null" {
        Place::Null(value, step)
    } else {
        Place::Other
    }
}

/// Opens the value at `at`; of a scalar, where it stands.
fn opened(text: &[u8], at: usize) -> Result<Result<Opened, Range<usize>>> {
    let mut scan = Scanner::inside(text);
    scan.skip(at);
    let (list, close) = match scan.peek() {
        Some(b'{') => (false, b'}'),
        Some(b'[') => (true, b']'),
        _ => {
            scan.scalar()?;
            return Ok(Err(at..scan.pos()));
        }
    };
    scan.skip(1);
    let mut opened = Opened {
        list,
        inside: scan.pos(),
        entries: Vec::new(),
        close: 0,
    };
    scan.space();
    while !scan.take(close) {
        if !opened.entries.is_empty() {
            scan.expect(b',', "',' or the end of the list or object")?;
            scan.space();
        }
        let start = scan.pos();
        if !list {
            scan.string()?;
        }
        let name = start..scan.pos();
        if !list {
            scan.space();
            scan.expect(b':', "':' after the member's name")?;
            scan.space();
        }
        let start = scan.pos();
        whole_value(&mut scan)?;
        let value = start..scan.pos();
        opened.entries.push(Entry { name, value });
        scan.space();
    }
    opened.close = scan.pos() - 1;
    Ok(Ok(opened))
}

fn slice<'a>(text: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    text.get(range.clone()).unwrap_or_default()
}

impl Opened {
    /// How many members or elements it has.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How this list is written; of one without items, as `other` is, and of one with a single item too, where it
    /// begins and ends as that does.
    pub(super) fn style(&self, text: &[u8], other: Option<Style>) -> Style {
        let (Some(first), Some(last)) = (self.entries.first(), self.entries.last()) else {
            return other.unwrap_or_else(Style::compact);
        };
        let lead = slice(text, &(self.inside..first.value.start)).to_vec();
        let trail = slice(text, &(last.value.end..self.close)).to_vec();
        let between = match (self.entries.get(1), other) {
            (Some(second), _) => slice(text, &(first.value.end..second.value.start)).to_vec(),
            (None, Some(other)) if other.lead == lead && other.trail == trail => other.between,
            (None, _) => [b",", &lead[..]].concat(),
        };
        Style {
            lead,
            between,
            trail,
        }
    }

    /// `text` with `items` put into this list, each before the item whose place is given. Everything else stays.
    pub(super) fn with_items(
        &self,
        text: &[u8],
        style: &Style,
        items: &[(usize, &[u8])],
    ) -> Vec<u8> {
        let added: usize = items.iter().map(|(_, item)| item.len() + 8).sum();
        let mut out = Vec::with_capacity(text.len() + added);
        out.extend_from_slice(slice(text, &(0..self.inside)));
        out.extend_from_slice(&style.lead);
        let mut items = items.iter().peekable();
        let mut before = None;
        let mut first = true;
        for (at, entry) in self.entries.iter().enumerate() {
            let mut new = false;
            while let Some((_, item)) = items.next_if(|(place, _)| *place <= at) {
                if !std::mem::take(&mut first) {
                    out.extend_from_slice(&style.between);
                }
                out.extend_from_slice(item);
                new = true;
            }
            match before {
                Some(end) => out.extend_from_slice(slice(text, &(end..entry.value.start))),
                None if new => out.extend_from_slice(&style.between),
                None => {}
            }
            first = false;
            out.extend_from_slice(slice(text, &entry.value));
            before = Some(entry.value.end);
        }
        for (_, item) in items {
            if !std::mem::take(&mut first) {
                out.extend_from_slice(&style.between);
            }
            out.extend_from_slice(item);
        }
        out.extend_from_slice(&style.trail);
        out.extend_from_slice(slice(text, &(self.close..text.len())));
        out
    }

    /// `text` with one more member in this object, set off like the others.
    pub(super) fn with_member(&self, text: &[u8], name: &str, value: &[u8]) -> Result<Vec<u8>> {
        let mut member = Vec::with_capacity(name.len() + value.len() + 16);
        let at = match (self.entries.first(), self.entries.last()) {
            (Some(first), Some(last)) => {
                member.push(b',');
                member.extend_from_slice(slice(text, &(self.inside..first.name.start)));
                member.extend_from_slice(&quoted(name)?);
                member.extend_from_slice(slice(text, &(last.name.end..last.value.start)));
                last.value.end
            }
            _ => {
                member.extend_from_slice(&quoted(name)?);
                member.push(b':');
                self.inside
            }
        };
        member.extend_from_slice(value);
        Ok(with(text, at..at, &member))
    }
}

impl Style {
    fn compact() -> Self {
        Self {
            lead: Vec::new(),
            between: b",".to_vec(),
            trail: Vec::new(),
        }
    }

    /// A list of `items`.
    pub(super) fn list(&self, items: &[&[u8]]) -> Vec<u8> {
        let inside = items.join(&self.between[..]);
        [b"[", &self.lead[..], &inside, &self.trail, b"]"].concat()
    }
}

/// `text` with something else in the place of `range`.
pub(super) fn with(text: &[u8], range: Range<usize>, instead: &[u8]) -> Vec<u8> {
    let before = slice(text, &(0..range.start));
    [before, instead, slice(text, &(range.end..text.len()))].concat()
}

/// `value` inside objects with one member each.
pub(super) fn nested(names: &[String], value: Vec<u8>) -> Result<Vec<u8>> {
    names.iter().rev().try_fold(value, |value, name| {
        Ok([b"{", &quoted(name)?[..], b":", &value, b"}"].concat())
    })
}

fn quoted(name: &str) -> Result<Vec<u8>> {
    serde_json::to_vec(name)
        .map_err(|e| Error::invalid("the member's name cannot be written").with_source(e))
}
