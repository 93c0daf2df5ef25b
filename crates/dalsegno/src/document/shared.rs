//! Documents from sessions that keep their lists in shared form: nothing unchanged is serialised,
//! compared or copied again.

use bytes::Bytes;
use serde::Serialize;

use super::list::{List, depth, not_json};
use super::{Document, Gap, MAX_DEPTH};
use crate::error::{Error, Result};

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
