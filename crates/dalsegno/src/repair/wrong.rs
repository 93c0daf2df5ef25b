//! What there is to repair.

use std::collections::BTreeSet;

use super::source::Source;
use super::survey::Stand;
use crate::chain;
use crate::codec::detail;
use crate::error::{Error, ErrorKind, Result};
use crate::model::StoreId;
use crate::store::{Row, SnapshotRow, View};
use crate::walk::Chain;

/// Refuses a store whose rows cannot all be seen.
pub(super) fn check_structure(view: &dyn View) -> Result<()> {
    let complaints = view.check_structure();
    let first = match complaints {
        Ok(complaints) => complaints.into_iter().next(),
        Err(error) if error.kind() == ErrorKind::Damaged => Some(error.to_string()),
        Err(error) => return Err(error),
    };
    first.map_or(Ok(()), |complaint| {
        Err(Error::damaged(format!(
            "the structure of the store's file is damaged ({}): it has to be built anew from what can be read \
             (`repair --rebuild`)",
            complaint.lines().next().unwrap_or_default()
        )))
    })
}

/// Whether something is wrong with a session: by its rows, or when each of its states is rebuilt.
pub(super) fn is_wrong(
    view: &dyn View,
    store: &StoreId,
    sources: &[Source<'_>],
    number: i64,
    stand: &Stand,
) -> Result<bool> {
    if stand.is_suspect(store) {
        return Ok(true);
    }
    for light in stand
        .live
        .iter()
        .chain(&stand.trash)
        .filter(|light| light.marked)
    {
        for source in sources {
            let there = source.snapshot(number, light.seq)?;
            let detail = there.and_then(|row| detail::decode(&row.detail).ok());
            if detail.is_some_and(|detail| detail.repaired.is_none()) {
                return Ok(true);
            }
        }
    }
    let mut chain = Chain::default();
    let mut all: Vec<SnapshotRow> = Vec::new();
    let mut proved = BTreeSet::new();
    let lights = stand.live.iter().map(|light| (light, true));
    let mut lights: Vec<_> = lights
        .chain(stand.trash.iter().map(|light| (light, false)))
        .collect();
    lights.sort_by_key(|(light, _)| light.seq);
    for (light, live) in lights {
        let row = if live {
            view.snapshot(light.seq)?
        } else {
            view.trashed(light.seq)?
                .map(|row| row.snapshot.summed(store))
        };
        let Some(row) = row else { return Ok(true) };
        if !proved.insert(light.state) {
            all.push(row);
            continue;
        }
        if !is_proved(view, store, &row, &mut chain)? {
            return Ok(true);
        }
    }
    // That each refers to the state that it was saved with.
    for row in all {
        let own = |row: &SnapshotRow| detail::decode(&row.detail).map(|it| it.checksum).ok();
        let of = view.snapshot(row.state_seq())?;
        let of = of.filter(|it| it.state.is_none());
        if of.is_some_and(|of| own(&of) != own(&row)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_proved(
    view: &dyn View,
    store: &StoreId,
    row: &SnapshotRow,
    chain: &mut Chain,
) -> Result<bool> {
    let proof = detail::decode(&row.detail).and_then(|detail| {
        let state = chain.advance(view, store, row.session, row.state_seq())?;
        chain::proved_text(&state.document()?, row, detail.checksum)
    });
    match proof {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Damaged => {
            chain.forget();
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
