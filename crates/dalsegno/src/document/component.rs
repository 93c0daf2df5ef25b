//! The components of a document: the members of its top-level object.
//!
//! A document that is no object has one component, named [`WHOLE`]. Where a name stands twice, the
//! last one counts, as in most JSON parsers. A name whose escapes make no valid text (a lone
//! surrogate) is known by its spelling.

use std::ops::Range;

use super::scan::{Scanner, Start};
use crate::error::{Error, Result};

/// The name of the one component of a list or a scalar.
pub(crate) const WHOLE: &str = "document";

/// A component's name and where its value stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) value: Range<usize>,
}

/// The components of `text`, in its order.
///
/// # Errors
/// `InvalidInput` where the text is not JSON.
pub(crate) fn components(text: &[u8]) -> Result<Vec<Component>> {
    let mut scan = Scanner::new(text)?;
    scan.space();
    let begin = scan.pos();
    let mut found: Vec<Component> = Vec::new();
    if scan.peek() != Some(b'{') {
        whole_value(&mut scan)?;
        found.push(Component {
            name: WHOLE.to_owned(),
            value: begin..scan.pos(),
        });
        return end(scan, found);
    }
    scan.skip(1);
    scan.space();
    if scan.take(b'}') {
        return end(scan, found);
    }
    loop {
        let start = scan.pos();
        scan.string()?;
        let name = member_name(text.get(start..scan.pos()).unwrap_or_default());
        scan.space();
        scan.expect(b':', "':' after the member's name")?;
        scan.space();
        let start = scan.pos();
        whole_value(&mut scan)?;
        found.push(Component {
            name,
            value: start..scan.pos(),
        });
        scan.space();
        if scan.take(b'}') {
            return end(scan, found);
        }
        scan.expect(b',', "',' or '}'")?;
        scan.space();
    }
}

fn end(mut scan: Scanner<'_>, found: Vec<Component>) -> Result<Vec<Component>> {
    scan.space();
    match scan.peek() {
        None => Ok(found),
        Some(_) => Err(scan.error("the end of the text after the value")),
    }
}

/// Where the component `name` stands, the last one of that name.
pub(crate) fn find<'a>(components: &'a [Component], name: &str) -> Option<&'a Component> {
    components
        .iter()
        .rev()
        .find(|component| component.name == name)
}

/// `target` with the components `names` as they are in `source`; everything else stays, byte for
/// byte. A component that the target does not have is added after its last one.
///
/// # Errors
/// `NotFound` where the source has no such component; `InvalidInput` where either is not JSON, or the
/// target is no object.
pub(crate) fn transplant(source: &[u8], target: &[u8], names: &[String]) -> Result<Vec<u8>> {
    let from = components(source)?;
    let mut text = target.to_vec();
    for name in names {
        let value = find(&from, name).ok_or_else(|| {
            let all: Vec<_> = from.iter().map(|c| c.name.as_str()).collect();
            Error::not_found(format!(
                "there is no component '{name}'; the components are {}",
                all.join(", ")
            ))
        })?;
        let value = source.get(value.value.clone()).unwrap_or_default();
        let to = components(&text)?;
        if let Some(place) = find(&to, name) {
            text.splice(place.value.clone(), value.iter().copied());
        } else {
            text = add(&text, &to, name, value)?;
        }
    }
    Ok(text)
}

/// `text`, an object, with one more member, set off like the last one.
fn add(text: &[u8], present: &[Component], name: &str, value: &[u8]) -> Result<Vec<u8>> {
    let close = text.iter().rposition(|byte| *byte == b'}');
    let (Some(close), true) = (
        close,
        present.iter().all(|c| c.name != WHOLE) || text_is_object(text),
    ) else {
        return Err(Error::invalid(format!(
            "the target is no JSON object, so the component '{name}' has no place in it; \
             restore the whole state"
        )));
    };
    let key = serde_json::to_string(name)
        .map_err(|e| Error::invalid("the component's name cannot be written").with_source(e))?;
    let mut out = Vec::with_capacity(text.len() + key.len() + value.len() + 8);
    match present.last() {
        Some(last) => {
            out.extend_from_slice(text.get(..last.value.end).unwrap_or_default());
            out.push(b',');
            out.extend_from_slice(&indent_of(text, close));
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(if spaced(text, last) { b": " } else { b":" });
            out.extend_from_slice(value);
            out.extend_from_slice(text.get(last.value.end..).unwrap_or_default());
        }
        None => {
            out.extend_from_slice(text.get(..close).unwrap_or_default());
            out.extend_from_slice(key.as_bytes());
            out.push(b':');
            out.extend_from_slice(value);
            out.extend_from_slice(text.get(close..).unwrap_or_default());
        }
    }
    Ok(out)
}

fn text_is_object(text: &[u8]) -> bool {
    text.iter().find(|byte| !super::scan::is_space(**byte)) == Some(&b'{')
}

/// The white space before the first member of the object: between members it is the same.
fn indent_of(text: &[u8], close: usize) -> Vec<u8> {
    let open = text
        .iter()
        .position(|byte| *byte == b'{')
        .map_or(0, |at| at + 1);
    let inside = text.get(open..close).unwrap_or_default();
    inside
        .iter()
        .copied()
        .take_while(|byte| super::scan::is_space(*byte))
        .collect()
}

fn spaced(text: &[u8], component: &Component) -> bool {
    component
        .value
        .start
        .checked_sub(1)
        .and_then(|at| text.get(at))
        == Some(&b' ')
}

/// Takes one value of any kind, with an own stack instead of recursion.
pub(crate) fn whole_value(scan: &mut Scanner<'_>) -> Result<()> {
    let mut open: Vec<bool> = Vec::new();
    loop {
        match scan.start() {
            Start::Scalar => scan.scalar()?,
            start => {
                let list = start == Start::List;
                scan.space();
                if !scan.take(if list { b']' } else { b'}' }) {
                    open.push(list);
                    if !list {
                        key(scan)?;
                    }
                    continue;
                }
            }
        }
        loop {
            let Some(list) = open.last().copied() else {
                return Ok(());
            };
            scan.space();
            if scan.take(if list { b']' } else { b'}' }) {
                open.pop();
                continue;
            }
            scan.expect(b',', if list { "',' or ']'" } else { "',' or '}'" })?;
            scan.space();
            if !list {
                key(scan)?;
            }
            break;
        }
    }
}

fn key(scan: &mut Scanner<'_>) -> Result<()> {
    scan.string()?;
    scan.space();
    scan.expect(b':', "':' after the member's name")?;
    scan.space();
    Ok(())
}

/// What a quoted name says; one that is no valid text is known by its spelling.
pub(crate) fn member_name(quoted: &[u8]) -> String {
    serde_json::from_slice(quoted).unwrap_or_else(|_| {
        let inner = quoted
            .get(1..quoted.len().saturating_sub(1))
            .unwrap_or_default();
        String::from_utf8_lossy(inner).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        components(text.as_bytes())
            .unwrap()
            .into_iter()
            .map(|c| c.name)
            .collect()
    }

    fn put(source: &str, target: &str, names: &[&str]) -> Result<String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let text = transplant(source.as_bytes(), target.as_bytes(), &names)?;
        components(&text).unwrap();
        Ok(String::from_utf8(text).unwrap())
    }

    #[test]
    fn members_of_the_top_level_object_are_components() {
        assert_eq!(
            names("{ \"a\" : [ {\"b\":1} ], \"\\u00e9\": {} , \"a\": 2}"),
            ["a", "é", "a"]
        );
        assert_eq!(names(" [1, 2] "), [WHOLE]);
        assert_eq!(names("\"x\""), [WHOLE]);
        assert!(names("{ }").is_empty());
        assert_eq!(
            names("{\"\\ud800\":1}"),
            ["\\ud800"],
            "no text, so by its spelling"
        );
    }

    #[test]
    fn everything_but_the_component_stays() {
        let target = "{\n  \"volume\": 30,\n  \"queue\": [1, 2],\n  \"x\": null\n}\n";
        let restored = put("{\"queue\":[9],\"volume\":75}", target, &["queue"]).unwrap();
        assert_eq!(restored, target.replace("[1, 2]", "[9]"));
    }

    #[test]
    fn of_two_members_of_one_name_the_last_counts() {
        assert_eq!(
            put("{\"a\":1,\"a\":2}", "{\"a\":3,\"a\":4}", &["a"]).unwrap(),
            "{\"a\":3,\"a\":2}"
        );
    }

    #[test]
    fn a_component_that_is_missing_is_added_in_the_same_layout() {
        assert_eq!(
            put("{\"b\":2}", "{\"a\":1}", &["b"]).unwrap(),
            "{\"a\":1,\"b\":2}"
        );
        assert_eq!(put("{\"b\":2}", "{}", &["b"]).unwrap(), "{\"b\":2}");
        let wide = put("{\"b\":2}", "{\n  \"a\": 1\n}\n", &["b"]).unwrap();
        assert_eq!(wide, "{\n  \"a\": 1,\n  \"b\": 2\n}\n");
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let missing = put("{\"a\":1}", "{}", &["b"]).unwrap_err();
        assert!(
            missing.to_string().contains("the components are a"),
            "{missing}"
        );
        assert!(
            put("{\"a\":1}", "[1]", &["a"])
                .unwrap_err()
                .to_string()
                .contains("no JSON object")
        );
        assert_eq!(put("[7]", "[1]", &[WHOLE]).unwrap(), "[7]");
    }
}
