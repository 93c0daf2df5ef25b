//! A document against an earlier one: its items, its gaps, and where the changes stand.

use bytes::Bytes;

use crate::document::lookup::Lookup;
use crate::document::{Document, Gap};
use crate::patch::Patch;
use crate::places::{self, Place};

/// How a document comes from an earlier one; from nothing, it is the document itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) gaps: Patch<Gap>,
    pub(crate) items: Patch<Bytes>,
    /// Where the changes stand, as far as that is told.
    pub(crate) places: Vec<Place>,
}

impl Delta {
    /// What leads from the earlier document to `document`.
    pub(crate) fn between(earlier: &Lookup<'_>, document: &Document) -> Self {
        let gaps = &earlier.document.gaps;
        Self {
            gaps: Patch::between(gaps, &document.gaps, PartialEq::eq, |_| None),
            items: Patch::between(&earlier.document.items, &document.items, same, |item| {
                earlier.find(item)
            }),
            places: Vec::new(),
        }
    }

    /// Adds where its changes stand.
    pub(crate) fn locate(&mut self, earlier: &Document, document: &Document) {
        self.places = places::between(&self.items.runs, earlier, document);
    }

    /// The whole document, as what leads to it from nothing.
    pub(crate) fn from_nothing(document: &Document) -> Self {
        Self {
            gaps: Patch::from_nothing(&document.gaps),
            items: Patch::from_nothing(&document.items),
            places: Vec::new(),
        }
    }

    /// Whether it leads from `earlier` to `document`, and to nothing else.
    pub(crate) fn leads(&self, earlier: &Document, document: &Document) -> bool {
        self.gaps
            .leads(&earlier.gaps, &document.gaps, PartialEq::eq)
            && self.items.leads(&earlier.items, &document.items, same)
    }
}

/// Shared items are the same without a look at their bytes.
fn same(a: &Bytes, b: &Bytes) -> bool {
    (a.as_ptr() == b.as_ptr() && a.len() == b.len()) || a == b
}
