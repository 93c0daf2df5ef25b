//! What differs between two states, as values that can be printed, counted and serialised.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::model::Snapshot;
use crate::restore::Change;

/// What differs between the states of two snapshots, from the first to the second.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// The snapshot that was named first.
    pub from: Snapshot,
    /// The snapshot that was named second.
    pub to: Snapshot,
    /// Whether the two texts are the same, byte for byte. Where they are not and no component is
    /// listed, only white space, the order of members or a member of a repeated name differs.
    pub identical: bool,
    /// The components that differ, in the order of the second state, then those that are gone.
    pub components: Vec<ComponentDiff>,
}

/// What differs in one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ComponentDiff {
    /// The component; `document` where a state is no object.
    pub name: String,
    /// What became of it; never `same`.
    pub change: Change,
    /// Its bytes differ, but only in white space, the order of members or the spelling of strings;
    /// `differences` is empty then.
    pub only_spelling: bool,
    /// How many of each kind there are, those inside changed items not counted.
    pub counts: Counts,
    /// Every difference.
    pub differences: Vec<Difference>,
}

/// How many differences of each kind there are, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Items and members that came.
    pub added: usize,
    /// Items and members that went.
    pub removed: usize,
    /// Items of a list that stand elsewhere in it, and are what they were.
    pub moved: usize,
    /// Items and members that have another value.
    pub changed: usize,
    /// Bytes of compact JSON that came: values that were added, and the new ones of changed values.
    pub bytes_added: u64,
    /// Bytes of compact JSON that went.
    pub bytes_removed: u64,
}

/// What happened to an item of a list, or to a member of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DifferenceKind {
    /// It came.
    Added,
    /// It went.
    Removed,
    /// It stands elsewhere among the other items, and is what it was.
    Moved,
    /// It has another value; it may also have moved.
    Changed,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What happened.
    pub kind: DifferenceKind,
    /// The member, as `queue.loop_mode`; of an item, its list, as `queue.upcoming`. Names that are not
    /// plain words are quoted: `bank["tea room"]`. Inside a changed item it begins at the item; it is
    /// empty for the whole value.
    pub path: String,
    /// The item's place in its list before, from 0; none for a member, or where it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_index: Option<usize>,
    /// The item's place in its list after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_index: Option<usize>,
    /// A changed item that also stands elsewhere among the others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub moved: bool,
    /// What a person would call an item: its title and author, who said it and the first words, or the
    /// beginning of its JSON. Of a changed item, as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The value before: of what was removed, and of a change that is not broken down, because it is a
    /// scalar or another thing (its `id` says so).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Json>,
    /// The value after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Json>,
    /// Of a changed item: what differs in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inside: Vec<Difference>,
}

/// A JSON value as compact text; numbers and strings keep their spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Json(pub(super) String);

impl Json {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Serialize for Json {
    /// As the value itself, not as a string that holds it.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(&self.0) {
            Ok(raw) => raw.serialize(serializer),
            Err(_) => serializer.serialize_str(&self.0),
        }
    }
}

impl Diff {
    /// All components' counts together.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut all = Counts::default();
        for component in &self.components {
            all.add(&component.counts);
        }
        all
    }
}

impl ComponentDiff {
    pub(super) fn new(name: String, change: Change, differences: Vec<Difference>) -> Self {
        let mut counts = Counts::default();
        for difference in &differences {
            counts.count(difference);
        }
        Self {
            name,
            change,
            only_spelling: differences.is_empty(),
            counts,
            differences,
        }
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.added += other.added;
        self.removed += other.removed;
        self.moved += other.moved;
        self.changed += other.changed;
        self.bytes_added += other.bytes_added;
        self.bytes_removed += other.bytes_removed;
    }

    fn count(&mut self, difference: &Difference) {
        match difference.kind {
            DifferenceKind::Added => self.added += 1,
            DifferenceKind::Removed => self.removed += 1,
            DifferenceKind::Moved => self.moved += 1,
            DifferenceKind::Changed => self.changed += 1,
        }
        self.weigh(difference);
    }

    fn weigh(&mut self, difference: &Difference) {
        let bytes = |json: &Option<Json>| json.as_ref().map_or(0, |json| json.0.len() as u64);
        self.bytes_added += bytes(&difference.after);
        self.bytes_removed += bytes(&difference.before);
        for inner in &difference.inside {
            self.weigh(inner);
        }
    }
}
