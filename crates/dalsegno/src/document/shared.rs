//! Documents from sessions that keep their lists in shared form: nothing unchanged is serialised,
//! compared or copied again.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use imbl::GenericVector;
use imbl::shared_ptr::DefaultSharedPtr;
use serde::Serialize;

use super::{Document, Gap, MAX_DEPTH};
use crate::error::{Error, Result};

/// A persistent list whose elements remember their JSON.
///
/// Cloning it takes the same time however long it is, and clones share their elements. An element is
/// serialised once, when it is first saved.
#[derive(Debug)]
pub struct List<T> {
    /// Behind one pointer, because a vector's own clone is of one for a short list and of several for a long
    /// one.
    elements: Arc<Elements<T>>,
}

type Elements<T> = GenericVector<Arc<Element<T>>, DefaultSharedPtr>;

#[derive(Debug)]
struct Element<T> {
    value: T,
    json: OnceLock<Bytes>,
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self {
            elements: Arc::clone(&self.elements),
        }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            elements: Arc::new(GenericVector::new()),
        }
    }
}

impl<T> List<T> {
    /// An empty list.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The elements, in a vector that no clone has: a shared one is cloned first, in constant time.
    fn edit(&mut self) -> &mut Elements<T> {
        Arc::make_mut(&mut self.elements)
    }

    /// How many elements it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.elements.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The element at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&T> {
        self.elements.get(index).map(|element| &element.value)
    }

    /// The elements in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.elements.iter().map(|element| &element.value)
    }

    /// Adds an element at the end.
    pub fn push_back(&mut self, value: T) {
        self.edit().push_back(Element::new(value));
    }

    /// Adds an element at the front.
    pub fn push_front(&mut self, value: T) {
        self.edit().push_front(Element::new(value));
    }

    /// Puts another element in the place of the one at `index`; false where there is none.
    pub fn set(&mut self, index: usize, value: T) -> bool {
        match self.edit().get_mut(index) {
            Some(element) => {
                *element = Element::new(value);
                true
            }
            None => false,
        }
    }

    /// Moves the element at `from` to `to`, keeping its JSON; false where either is out of range.
    pub fn shift(&mut self, from: usize, to: usize) -> bool {
        let inside = from < self.len() && to < self.len();
        if inside {
            let elements = self.edit();
            let element = elements.remove(from);
            elements.insert(to, element);
        }
        inside
    }

    /// Drops the first element; false where there is none.
    pub fn drop_front(&mut self) -> bool {
        self.edit().pop_front().is_some()
    }

    /// Keeps the first `len` elements.
    pub fn truncate(&mut self, len: usize) {
        let len = len.min(self.len());
        self.edit().truncate(len);
    }
}

impl<T> Element<T> {
    fn new(value: T) -> Arc<Self> {
        Arc::new(Self {
            value,
            json: OnceLock::new(),
        })
    }
}

impl<T: Serialize> Element<T> {
    /// Its JSON, written the first time it is asked for.
    fn json(&self) -> Result<Bytes> {
        if let Some(json) = self.json.get() {
            return Ok(json.clone());
        }
        let json = serde_json::to_vec(&self.value).map_err(not_json)?;
        // Left room for the objects around the list.
        if depth(&json) > MAX_DEPTH / 2 {
            let limit = MAX_DEPTH / 2;
            return Err(Error::invalid(format!(
                "an element is nested deeper than {limit} levels"
            )));
        }
        Ok(self.json.get_or_init(|| json.into()).clone())
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        Self {
            elements: Arc::new(values.into_iter().map(Element::new).collect()),
        }
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de, T: serde::Deserialize<'de>> serde::Deserialize<'de> for List<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|values| values.into_iter().collect())
    }
}

/// Builds the [`Document`] of an object, member by member, as its compact JSON.
///
/// ```
/// use dalsegno::{DocumentBuilder, List};
///
/// # fn main() -> dalsegno::Result<()> {
/// let messages: List<&str> = ["hello", "good evening"].into_iter().collect();
///
/// let document = DocumentBuilder::new()
///     .member("turn_count", &2)?
///     .list("messages", &messages)?
///     .finish();
/// assert_eq!(document.to_text(), br#"{"turn_count":2,"messages":["hello","good evening"]}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DocumentBuilder {
    document: Document,
    /// What comes before the next item.
    gap: Vec<u8>,
    /// How many members the innermost object has, and of the objects around it, inside out.
    members: Vec<usize>,
}

impl Default for DocumentBuilder {
    fn default() -> Self {
        Self {
            document: Document::nothing(),
            gap: vec![b'{'],
            members: vec![0],
        }
    }
}

impl DocumentBuilder {
    /// An object without members.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn key(&mut self, key: &str) -> Result<()> {
        if self.members.len() >= MAX_DEPTH / 2 {
            let limit = MAX_DEPTH / 2;
            return Err(Error::invalid(format!(
                "the document is nested deeper than {limit} levels"
            )));
        }
        if let Some(members) = self.members.last_mut() {
            if *members > 0 {
                self.gap.push(b',');
            }
            *members += 1;
        }
        serde_json::to_writer(&mut self.gap, key).map_err(not_json)?;
        self.gap.push(b':');
        Ok(())
    }

    fn item(&mut self, json: Bytes) -> Result<&mut Self> {
        if self.members.len() + 1 + depth(&json) > MAX_DEPTH {
            return Err(Error::invalid(format!(
                "the document is nested deeper than {MAX_DEPTH} levels"
            )));
        }
        self.document.push_gap(std::mem::take(&mut self.gap).into());
        self.document.items.push(json);
        Ok(self)
    }

    /// Adds a member.
    ///
    /// # Errors
    /// `InvalidInput` where the value is no JSON.
    pub fn member<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<&mut Self> {
        self.key(key)?;
        let json = serde_json::to_vec(value).map_err(not_json)?;
        self.item(json.into())
    }

    /// Adds a member that is a shared list.
    ///
    /// # Errors
    /// `InvalidInput` where an element is no JSON.
    pub fn list<T: Serialize>(&mut self, key: &str, list: &List<T>) -> Result<&mut Self> {
        self.key(key)?;
        self.gap.push(b'[');
        let mut elements = list.elements.iter();
        if let Some(first) = elements.next() {
            self.item(first.json()?)?;
            let commas = u32::try_from(list.len() - 1)
                .map_err(|_| Error::invalid("the list has more elements than can be kept"))?;
            if commas > 0 {
                let text = Bytes::from_static(b",");
                self.document.gaps.push(Gap {
                    times: commas,
                    text,
                });
            }
            self.document.items.reserve(list.len());
            for element in elements {
                self.document.items.push(element.json()?);
            }
        }
        self.gap.push(b']');
        Ok(self)
    }

    /// Adds a member that is an object; `build` adds its members.
    ///
    /// # Errors
    /// What `build` returns.
    pub fn object(
        &mut self,
        key: &str,
        build: impl FnOnce(&mut Self) -> Result<&mut Self>,
    ) -> Result<&mut Self> {
        self.key(key)?;
        self.gap.push(b'{');
        self.members.push(0);
        build(self)?;
        self.members.pop();
        self.gap.push(b'}');
        Ok(self)
    }

    /// The document; the builder is empty again.
    #[must_use]
    pub fn finish(&mut self) -> Document {
        let mut built = std::mem::take(self);
        // Objects are closed by `object`, unless it was left by an error that nobody heeded.
        built
            .gap
            .extend(std::iter::repeat_n(b'}', built.members.len()));
        built.document.push_gap(built.gap.into());
        built.document
    }
}

/// How deep a value is nested.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut quoted, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn not_json(error: serde_json::Error) -> Error {
    Error::invalid(format!("the value is no JSON: {error}")).with_source(error)
}
