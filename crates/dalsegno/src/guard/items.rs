//! The items of a list, read off a document's pieces.
//!
//! However the document was cut, the items are those of its text; where an item of the list is one piece it is
//! borrowed, so that the items that two documents share are the same without a look at their bytes.

use std::borrow::Cow;

use bytes::Bytes;

use crate::diff::level::Level;
use crate::document::Document;
use crate::document::component::{member_name, whole_value};
use crate::document::outline::is_separator;
use crate::document::scan::{Scanner, Start};
use crate::error::Result;

/// The items of the list at `path`, each as the text it was saved as. Where there is no list, there are none.
///
/// # Errors
/// `InvalidInput` where the document is no JSON.
pub(super) fn of<'a>(document: &'a Document, path: &[String]) -> Result<Vec<Cow<'a, [u8]>>> {
    let mut reader = Reader {
        path,
        stack: Vec::new(),
        on_path: 0,
        awaited: true,
        found: Vec::new(),
        part: Vec::new(),
    };
    let mut items = document.items.iter();
    for gap in &document.gaps {
        if reader.between_items() && is_separator(&gap.text) {
            for item in items.by_ref().take(gap.times as usize) {
                reader.elements(item)?;
            }
            continue;
        }
        for _ in 0..gap.times {
            reader.gap(&gap.text)?;
            if let Some(item) = items.next() {
                reader.item(item)?;
            }
        }
    }
    Ok(reader.found)
}

/// Follows a path through a document's pieces.
struct Reader<'a, 'p> {
    path: &'p [String],
    /// The containers that are open; true for lists.
    stack: Vec<bool>,
    /// How many of them are on the path; one more than the path has steps where the last is the list.
    on_path: usize,
    /// The value that comes next in the innermost container is the next step of the path.
    awaited: bool,
    found: Vec<Cow<'a, [u8]>>,
    /// The item that is being put together.
    part: Vec<u8>,
}

impl<'a> Reader<'a, '_> {
    /// The list is open, and none of its items is.
    fn between_items(&self) -> bool {
        self.on_path > self.path.len() && self.stack.len() == self.on_path
    }

    fn inside_item(&self) -> bool {
        self.on_path > self.path.len() && self.stack.len() > self.on_path
    }

    /// Passes what stands before an item: brackets, commas and names.
    fn gap(&mut self, text: &[u8]) -> Result<()> {
        let mut scan = Scanner::inside(text);
        while let Some(byte) = scan.peek() {
            let start = scan.pos();
            match byte {
                b'"' => scan.string()?,
                _ => scan.skip(1),
            }
            let token = text.get(start..scan.pos()).unwrap_or_default();
            match byte {
                b'{' | b'[' => {
                    self.open(byte == b'[');
                    self.keep(token);
                }
                b'}' | b']' => {
                    self.keep(token);
                    self.close();
                }
                b'"' if self.stack.len() == self.on_path && !self.between_items() => {
                    self.name(token);
                }
                _ => self.keep(token),
            }
        }
        Ok(())
    }

    /// Adds to the item that is being put together, if one is.
    fn keep(&mut self, token: &[u8]) {
        if self.inside_item() {
            self.part.extend_from_slice(token);
        }
    }

    fn name(&mut self, quoted: &[u8]) {
        let step = self.on_path.checked_sub(1).and_then(|at| self.path.get(at));
        self.awaited = step.is_some_and(|step| member_name(quoted) == *step);
        if self.awaited {
            // Of members of one name the last counts.
            self.found.clear();
        }
    }

    fn open(&mut self, list: bool) {
        if self.stack.len() == self.on_path && std::mem::take(&mut self.awaited) {
            let here = list == (self.on_path == self.path.len());
            self.on_path += usize::from(here);
        }
        self.stack.push(list);
    }

    fn close(&mut self) {
        self.stack.pop();
        self.on_path = self.on_path.min(self.stack.len());
        if self.between_items() {
            self.found.push(Cow::Owned(std::mem::take(&mut self.part)));
        }
    }

    fn item(&mut self, item: &'a Bytes) -> Result<()> {
        if self.inside_item() {
            self.part.extend_from_slice(item);
        } else if self.between_items() {
            self.elements(item)?;
        } else if self.stack.len() == self.on_path && std::mem::take(&mut self.awaited) {
            let steps = self.path.get(self.on_path..).unwrap_or_default();
            if let Some(Level::List(elements)) = at(item, steps)?.map(Level::of).transpose()? {
                self.found = elements.into_iter().map(Cow::Borrowed).collect();
            }
        }
        Ok(())
    }

    /// Adds one element of the list, or the tiny ones that share an item.
    fn elements(&mut self, item: &'a Bytes) -> Result<()> {
        if matches!(item.first(), Some(b'{' | b'[')) {
            self.found.push(Cow::Borrowed(item));
            return Ok(());
        }
        let mut scan = Scanner::inside(item);
        loop {
            scan.space();
            let start = scan.pos();
            whole_value(&mut scan)?;
            let element = item.get(start..scan.pos()).unwrap_or_default();
            self.found.push(Cow::Borrowed(element));
            scan.space();
            if !scan.take(b',') {
                return Ok(());
            }
        }
    }
}

/// The value at the end of `steps` in `text`, by names of members.
pub(super) fn at<'a>(text: &'a [u8], steps: &[String]) -> Result<Option<&'a [u8]>> {
    let mut value = text;
    for step in steps {
        match Level::of(value)?.member(step) {
            Some(member) => value = member,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// Shows `visit` every item of every list in `text`, at any depth.
///
/// # Errors
/// `InvalidInput` where the text is no JSON.
pub(super) fn each<'a>(text: &'a [u8], mut visit: impl FnMut(&'a [u8])) -> Result<()> {
    let mut scan = Scanner::inside(text);
    let mut stack: Vec<(bool, usize)> = Vec::new();
    loop {
        scan.space();
        let start = scan.pos();
        let begun = scan.start();
        let list = begun == Start::List;
        match begun {
            Start::Scalar => scan.scalar()?,
            _ => {
                scan.space();
                if !scan.take(if list { b']' } else { b'}' }) {
                    stack.push((list, start));
                    if !list {
                        name(&mut scan)?;
                    }
                    continue;
                }
            }
        }
        let mut from = start;
        loop {
            let Some((list, begin)) = stack.last().copied() else {
                return Ok(());
            };
            if list {
                visit(text.get(from..scan.pos()).unwrap_or_default());
            }
            scan.space();
            if scan.take(if list { b']' } else { b'}' }) {
                stack.pop();
                from = begin;
                continue;
            }
            scan.expect(b',', if list { "',' or ']'" } else { "',' or '}'" })?;
            if !list {
                scan.space();
                name(&mut scan)?;
            }
            break;
        }
    }
}

fn name(scan: &mut Scanner<'_>) -> Result<()> {
    scan.string()?;
    scan.space();
    scan.expect(b':', "':' after the member's name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::split;
    use crate::{DocumentBuilder, List};

    fn read(document: &Document, path: &str) -> Vec<String> {
        let path = super::super::path::parse(path).unwrap();
        let items = of(document, &path).unwrap();
        let text = |item: Cow<'_, [u8]>| String::from_utf8(item.into_owned()).unwrap();
        items.into_iter().map(text).collect()
    }

    fn cut(text: &str) -> Document {
        split(text.as_bytes(), None).unwrap().document
    }

    fn long(n: usize, times: usize) -> String {
        format!(
            "{{\"n\": {n}, \"text\":[\"{}\", 1]}}",
            format!("{n}").repeat(times)
        )
    }

    #[test]
    fn items_are_those_of_the_text_however_it_is_cut() {
        for times in [1, 100, 5000] {
            let items: Vec<String> = (0..5).map(|n| long(n, times)).collect();
            let list = items.join(" ,\n");
            for (text, path) in [
                (format!("[{list}]"), "."),
                (format!(" {{\"a\":[{list} ]}}"), "a"),
                (
                    format!("{{\"a\":1,\"b\":{{\"c\":[],\"d\":[ {list}],\"e\":[7]}},\"d\":[8]}}"),
                    "b.d",
                ),
                (format!("{{\"a\":[9],\"a\":[{list}],\"b\":[1]}}"), "a"),
                (
                    format!("{{\"x\":[{{\"a\":[1]}}],\"\\u0061\":[{list}]}}"),
                    "a",
                ),
            ] {
                assert_eq!(read(&cut(&text), path), items, "{text:.80}");
            }
        }
    }

    #[test]
    fn tiny_items_share_a_piece_and_are_still_items() {
        let numbers: Vec<String> = (0..500).map(|n| n.to_string()).collect();
        assert_eq!(
            read(&cut(&format!("{{\"a\":[{}]}}", numbers.join(", "))), "a"),
            numbers
        );
        let text = format!("{{\"a\":[1,\"x,]\",[2,{{}}],{},null]}}", long(1, 90));
        assert_eq!(
            read(&cut(&text), "a"),
            ["1", "\"x,]\"", "[2,{}]", &long(1, 90), "null"]
        );
    }

    #[test]
    fn what_is_no_list_has_no_items() {
        for text in [
            "{}",
            "[]",
            "[[1]]",
            "1",
            "{\"a\":null}",
            "{\"a\":{\"b\":[1]}}",
            "{\"a\":[1],\"a\":2}",
            "{\"a\":[1],\"a\":{}}",
        ] {
            assert!(read(&cut(text), "a").is_empty(), "{text}");
        }
        for text in ["{\"a\":{\"a\":[1]}}", "1", "\"x\"", "[]"] {
            assert!(read(&cut(text), ".").is_empty(), "{text}");
        }
        assert!(read(&cut(&format!("{{\"a\":[{}],\"a\":7}}", long(1, 900))), "a").is_empty());
    }

    #[test]
    fn documents_of_shared_lists_are_read_too() {
        let build = |items: &[&str]| {
            let list: List<&str> = items.iter().copied().collect();
            let mut builder = DocumentBuilder::new();
            builder
                .object("q", |q| q.list("u", &list)?.member("v", &[1, 2]))
                .unwrap();
            builder.finish()
        };
        assert_eq!(
            read(&build(&["a", "b", "a"]), "q.u"),
            ["\"a\"", "\"b\"", "\"a\""]
        );
        assert!(read(&build(&[]), "q.u").is_empty());
        assert_eq!(read(&build(&[]), "q.v"), ["1", "2"]);
    }

    #[test]
    fn every_item_of_every_list_is_shown() {
        let mut seen = Vec::new();
        each(
            b" {\"a\":[1, [ 2,{\"b\":[ ]}]],\"c\":{\"d\":[\"]\"]},\"e\":3} ",
            |item| {
                seen.push(String::from_utf8_lossy(item).into_owned());
            },
        )
        .unwrap();
        assert_eq!(seen, ["1", "2", "{\"b\":[ ]}", "[ 2,{\"b\":[ ]}]", "\"]\""]);
    }
}
