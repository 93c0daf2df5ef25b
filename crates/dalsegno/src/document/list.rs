//! Lists in shared form, whose elements remember their JSON.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use imbl::GenericVector;
use imbl::shared_ptr::DefaultSharedPtr;
use serde::Serialize;

use super::MAX_DEPTH;
use crate::error::{Error, Result};

/// A persistent list whose elements remember their JSON.
///
/// Cloning it takes the same time however long it is, and clones share their elements. An element is
/// serialised once, when it is first saved.
#[derive(Debug)]
pub struct List<T> {
    /// Behind one pointer, because a vector's own clone is of one for a short list and of several for a long
    /// one.
    pub(super) elements: Arc<Elements<T>>,
}

pub(super) type Elements<T> = GenericVector<Arc<Element<T>>, DefaultSharedPtr>;

#[derive(Debug)]
pub(super) struct Element<T> {
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

    /// Puts an element at `index`, which may be the length; false where it is beyond.
    pub fn insert(&mut self, index: usize, value: T) -> bool {
        let inside = index <= self.len();
        if inside {
            self.edit().insert(index, Element::new(value));
        }
        inside
    }

    /// Takes out the element at `index`. It is cloned where another list has it too.
    pub fn remove(&mut self, index: usize) -> Option<T>
    where
        T: Clone,
    {
        (index < self.len()).then(|| {
            let element = self.edit().remove(index);
            Arc::try_unwrap(element).map_or_else(|shared| shared.value.clone(), |own| own.value)
        })
    }

    /// The elements at those places, in that order; they keep their JSON. A place where there is none is passed over.
    #[must_use]
    pub fn select(&self, places: impl IntoIterator<Item = usize>) -> Self {
        let there = |place| self.elements.get(place).map(Arc::clone);
        Self {
            elements: Arc::new(places.into_iter().filter_map(there).collect()),
        }
    }

    /// Adds the elements of `other` at the end; they keep their JSON.
    pub fn append(&mut self, other: &Self) {
        self.edit().append(Elements::clone(&other.elements));
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
    pub(super) fn json(&self) -> Result<Bytes> {
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

impl<T> Extend<T> for List<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        self.edit().extend(values.into_iter().map(Element::new));
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

/// How deep a value is nested.
pub(super) fn depth(json: &[u8]) -> usize {
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

pub(super) fn not_json(error: serde_json::Error) -> Error {
    Error::invalid(format!("the value is no JSON: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn list(values: &[u32]) -> List<u32> {
        let list: List<u32> = values.iter().copied().collect();
        for element in list.elements.iter() {
            element.json().unwrap();
        }
        list
    }

    fn values(list: &List<u32>) -> Vec<u32> {
        list.iter().copied().collect()
    }

    fn remembered(list: &List<u32>) -> Vec<bool> {
        let has = |element: &Arc<Element<u32>>| element.json.get().is_some();
        list.elements.iter().map(has).collect()
    }

    #[test]
    fn only_what_is_new_is_written_again() {
        let mut queue = list(&[0, 1, 2, 3]);
        assert!(queue.insert(2, 9));
        assert_eq!(queue.remove(0), Some(0));
        assert_eq!(values(&queue), [1, 9, 2, 3]);
        assert_eq!(remembered(&queue), [true, false, true, true]);

        let mut turned = queue.select([3, 0]);
        turned.append(&list(&[7]));
        turned.extend([8]);
        assert_eq!(values(&turned), [3, 1, 7, 8]);
        assert_eq!(remembered(&turned), [true, true, true, false]);
    }

    #[test]
    fn what_is_taken_from_a_list_stays_in_its_clones() {
        let mut queue = list(&[0, 1]);
        let before = queue.clone();
        assert_eq!(queue.remove(1), Some(1));
        assert_eq!((values(&queue), values(&before)), (vec![0], vec![0, 1]));
    }

    proptest! {
        #[test]
        fn it_is_edited_like_a_vector(edits in vec((0..3_usize, 0..12_usize), 0..60)) {
            let (mut list, mut plain) = (List::new(), Vec::new());
            for (value, (what, index)) in edits.into_iter().enumerate() {
                match what {
                    0 => {
                        prop_assert_eq!(list.insert(index, value), index <= plain.len());
                        if index <= plain.len() {
                            plain.insert(index, value);
                        }
                    }
                    1 => {
                        let taken = (index < plain.len()).then(|| plain.remove(index));
                        prop_assert_eq!(list.remove(index), taken);
                    }
                    _ => {
                        let other = list.select((0..index).rev());
                        list.append(&other);
                        let other: Vec<_> = plain.iter().take(index).rev().copied().collect();
                        plain.extend(other);
                    }
                }
                prop_assert_eq!(list.iter().copied().collect::<Vec<_>>(), plain.clone());
            }
        }
    }
}
