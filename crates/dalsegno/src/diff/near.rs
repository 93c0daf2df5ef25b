//! Neighbours, compared by the record that leads from one to the other: neither state is rebuilt.
//!
//! The record has the items that came, and its places say where. Items that went are found by their
//! numbers in the records before, mostly in a recent one. Where anything is missing, nothing is
//! answered, and both states are rebuilt and compared.

use std::collections::HashMap;

use bytes::Bytes;

use super::change::ComponentDiff;
use super::compare::{DEEP, values};
use super::path::Path;
use super::{identity, list};
use crate::chain;
use crate::codec::record;
use crate::delta::Delta;
use crate::document::component::WHOLE;
use crate::error::Result;
use crate::model::StoreId;
use crate::patch::Run;
use crate::places::{Place, What};
use crate::restore::Change;
use crate::store::{SnapshotRow, View};

/// The components that differ, if the record of one state is built on that of the other and says where
/// its changes stand.
pub(super) fn components(
    view: &dyn View,
    store: &StoreId,
    from: &SnapshotRow,
    to: &SnapshotRow,
) -> Result<Option<Vec<ComponentDiff>>> {
    let (from_state, to_state) = (from.state_seq(), to.state_seq());
    if from.session != to.session || from_state == to_state {
        return Ok(None);
    }
    let mut records = Records {
        view,
        store,
        session: from.session,
        known: HashMap::new(),
    };
    let child = from_state.max(to_state);
    let Some(mut edits) = records.edits(child, from_state.min(to_state))? else {
        return Ok(None);
    };
    if child == from_state {
        for edit in &mut edits {
            std::mem::swap(&mut edit.old, &mut edit.new);
        }
    }
    compare(&edits).map(Some)
}

/// What a place means: the items that went and came there.
struct Edit {
    names: Vec<String>,
    /// Of items of a list, the place of the first.
    index: Option<usize>,
    old: Vec<Bytes>,
    new: Vec<Bytes>,
}

fn compare(edits: &[Edit]) -> Result<Vec<ComponentDiff>> {
    let mut found: Vec<(String, Vec<_>)> = Vec::new();
    // A record may bring anew what was there already.
    for edit in edits.iter().filter(|edit| edit.old != edit.new) {
        let name = edit.names.first().map_or(WHOLE, String::as_str);
        if found.last().is_none_or(|(last, _)| last != name) {
            found.push((name.to_owned(), Vec::new()));
        }
        let Some((_, differences)) = found.last_mut() else {
            continue;
        };
        let path = edit
            .names
            .iter()
            .fold(Path::default(), |path, name| path.member(name));
        match (edit.index, edit.old.as_slice(), edit.new.as_slice()) {
            (None, [old], [new]) => values(&path, old, new, differences)?,
            (index, old, new) => {
                let old: Vec<&[u8]> = old.iter().map(|item| &item[..]).collect();
                let new: Vec<&[u8]> = new.iter().map(|item| &item[..]).collect();
                list::compare(&path, index.unwrap_or(0), &old, &new, differences)?;
            }
        }
    }
    let components = found.into_iter();
    Ok(components
        .map(|(name, differences)| ComponentDiff::new(name, Change::Changed, differences))
        .collect())
}

/// The records of a session, each read once and proved.
struct Records<'a> {
    view: &'a dyn View,
    store: &'a StoreId,
    session: i64,
    known: HashMap<i64, Known>,
}

struct Known {
    parent: Option<i64>,
    bytes: Bytes,
    delta: Option<Delta>,
}

impl Records<'_> {
    fn known(&mut self, seq: i64) -> Result<Option<&Known>> {
        if !self.known.contains_key(&seq) {
            let Some(row) = self.view.record(self.session, seq)? else {
                return Ok(None);
            };
            for entry in chain::entries(&row, self.store, self.session)? {
                self.known.entry(entry.seq).or_insert(Known {
                    parent: entry.parent,
                    bytes: entry.record,
                    delta: None,
                });
            }
        }
        let Some(known) = self.known.get_mut(&seq) else {
            return Ok(None);
        };
        if known.delta.is_none() {
            known.delta = Some(record::decode(&known.bytes)?);
        }
        Ok(Some(known))
    }

    /// What the record `child` changes in the state of `parent`, its own parent.
    fn edits(&mut self, child: i64, parent: i64) -> Result<Option<Vec<Edit>>> {
        let Some(known) = self
            .known(child)?
            .filter(|known| known.parent == Some(parent))
        else {
            return Ok(None);
        };
        let Some(delta) = known.delta.clone() else {
            return Ok(None);
        };
        let Some(spots) = spots(&delta) else {
            return Ok(None);
        };
        let mut edits = Vec::with_capacity(spots.len());
        for (place, spot) in delta.places.iter().zip(spots) {
            let new = delta.items.new.get(spot.new).map(<[_]>::to_vec);
            let old = match &place.what {
                What::Value(Some(was)) => Some(vec![Bytes::copy_from_slice(was)]),
                _ => self.items(parent, spot.old)?,
            };
            let (Some(old), Some(new)) = (old, new) else {
                return Ok(None);
            };
            edits.push(Edit {
                names: place.names.clone(),
                index: match place.what {
                    What::Value(_) => None,
                    What::Items { index, .. } => Some(index as usize),
                },
                old,
                new,
            });
        }
        Ok(Some(edits))
    }

    fn items(&mut self, seq: i64, numbers: std::ops::Range<usize>) -> Result<Option<Vec<Bytes>>> {
        let mut items = Vec::with_capacity(numbers.len());
        for number in numbers {
            match self.item(seq, number)? {
                Some(item) => items.push(item),
                None => return Ok(None),
            }
        }
        Ok(Some(items))
    }

    /// The item of that number in the state of `seq`, followed back to the record that brought it.
    fn item(&mut self, mut seq: i64, mut number: usize) -> Result<Option<Bytes>> {
        loop {
            let Some(known) = self.known(seq)? else {
                return Ok(None);
            };
            let Some(items) = known.delta.as_ref().map(|delta| &delta.items) else {
                return Ok(None);
            };
            match source(&items.runs, number) {
                Some(Source::Fresh(at)) => return Ok(items.new.get(at).cloned()),
                Some(Source::Copied(at)) => number = at,
                None => return Ok(None),
            }
            // Parents are older than their children, so that this ends.
            match known.parent {
                Some(parent) => seq = parent,
                None => return Ok(None),
            }
        }
    }
}

/// Where an item of a state comes from: the new ones of its record, or those of the parent.
enum Source {
    Fresh(usize),
    Copied(usize),
}

fn source(runs: &[Run], number: usize) -> Option<Source> {
    let (mut left, mut fresh, mut at) = (number, 0_usize, 0_usize);
    for run in runs {
        let (new, copy) = (run.new as usize, run.copy as usize);
        if left < new {
            return Some(Source::Fresh(fresh + left));
        }
        (left, fresh) = (left - new, fresh + new);
        let from = usize::try_from(run.skip.checked_add(i64::try_from(at).ok()?)?).ok()?;
        if left < copy {
            return Some(Source::Copied(from + left));
        }
        (left, at) = (left - copy, from + copy);
    }
    None
}

/// The items that a place is about: numbers in the parent's state, and among the record's new ones.
struct Spot {
    old: std::ops::Range<usize>,
    new: std::ops::Range<usize>,
}

/// A spot for each place, if the places are about all that the record changes, and about nothing else.
fn spots(delta: &Delta) -> Option<Vec<Spot>> {
    let mut places = delta.places.iter();
    let mut spots = Vec::with_capacity(delta.places.len());
    let (mut old, mut new) = (0_usize, 0_usize);
    let mut take = |place: &Place, old: &mut usize, new: &mut usize| {
        let (went, came) = match place.what {
            What::Value(_) => (1, 1),
            What::Items { old, new, .. } => (old as usize, new as usize),
        };
        let spot = Spot {
            old: *old..old.checked_add(went)?,
            new: *new..new.checked_add(came)?,
        };
        (*old, *new) = (spot.old.end, spot.new.end);
        spots.push(spot);
        // Which thing an object is, shows only with the whole of it.
        let decides = place.names.get(1..).and_then(<[_]>::last);
        let open = !decides.is_some_and(|name| identity::decides(name));
        (went + came > 0 && open && place.names.len() < DEEP).then_some(())
    };
    for run in &delta.items.runs {
        if run.copy == 0 {
            break;
        }
        let to = old.checked_add(usize::try_from(run.skip).ok()?)?;
        let fresh = new.checked_add(run.new as usize)?;
        while old < to || new < fresh {
            take(places.next()?, &mut old, &mut new)?;
        }
        (old == to && new == fresh).then_some(())?;
        old = old.checked_add(run.copy as usize)?;
    }
    // How many items the parent has behind the last copy, only the places tell.
    for place in places {
        take(place, &mut old, &mut new)?;
    }
    (new == delta.items.new.len() && !spots.is_empty()).then_some(spots)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::patch::Patch;

    fn any_delta() -> impl Strategy<Value = Delta> {
        let odd = || prop_oneof![0..4u32, Just(u32::MAX)];
        let skip = prop_oneof![-2..4i64, Just(i64::MAX), Just(i64::MIN)];
        let run = (odd(), skip, odd()).prop_map(|(new, skip, copy)| Run { new, skip, copy });
        let what = prop_oneof![
            Just(What::Value(None)),
            Just(What::Value(Some(b"1".to_vec()))),
            (odd(), odd(), odd()).prop_map(|(index, old, new)| What::Items { index, old, new }),
        ];
        let place = (prop::collection::vec("[ab]", 0..3), what)
            .prop_map(|(names, what)| Place { names, what });
        let items = prop::collection::vec(Just(Bytes::from_static(b"1")), 0..6);
        (
            prop::collection::vec(run, 0..5),
            items,
            prop::collection::vec(place, 0..5),
        )
            .prop_map(|(runs, new, places)| Delta {
                gaps: Patch {
                    runs: Vec::new(),
                    new: Vec::new(),
                },
                items: Patch { runs, new },
                places,
            })
    }

    proptest! {
        #[test]
        fn odd_records_are_no_danger(delta in any_delta(), number in 0..20usize) {
            if let Some(Source::Fresh(at)) = source(&delta.items.runs, number) {
                prop_assert!(at <= number);
            }
            for spot in spots(&delta).unwrap_or_default() {
                prop_assert!(spot.new.end <= delta.items.new.len());
            }
        }
    }

    #[test]
    fn an_item_is_followed_to_where_it_came_from() {
        let run = |new, skip, copy| Run { new, skip, copy };
        // Two new ones, items 3 and 4 of the parent, a new one, item 1.
        let runs = [run(2, 3, 2), run(1, -4, 1)];
        let sources: Vec<i64> = (0..7)
            .map(|number| match source(&runs, number) {
                Some(Source::Fresh(at)) => at as i64,
                Some(Source::Copied(at)) => -(at as i64),
                None => 99,
            })
            .collect();
        assert_eq!(sources, [0, 1, -3, -4, 2, -1, 99]);
    }
}
