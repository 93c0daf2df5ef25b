//! How far a deed came that was cut off.

use std::collections::{BTreeMap, BTreeSet};

use dalsegno::SnapshotId;

use super::picture::Room;
use super::{Deed, Picture};

/// How far it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    Before,
    /// Some of the steps that it is made of, each of them wholly.
    Between,
    After,
}

/// How far the deed came that leads from `before` to `after`.
///
/// # Errors
/// Where it is nothing that may be found.
pub fn judge(
    deed: &Deed,
    before: &Picture,
    after: &Picture,
    found: &Picture,
) -> Result<Found, String> {
    if found == after {
        return Ok(Found::After);
    }
    if found == before {
        return Ok(Found::Before);
    }
    let allowed = match deed {
        Deed::ToFile { .. } => put_back(before, after, found, false),
        Deed::Undo(_) | Deed::Redo(_) => put_back(before, after, found, true),
        Deed::Delete { .. } | Deed::Undelete(_) => {
            same_else(before, found) && rooms(before, after, found, &|_, _, _| false)
        }
        Deed::Cleanup { .. } | Deed::Purge { .. } => {
            same_else(before, found) && rooms(before, after, found, &emptied)
        }
        Deed::Keep { who, .. } => {
            let session = super::guarded(*who);
            let rest = |picture: &Picture| {
                let mut rest = picture.clone();
                rest.rooms.remove(&session);
                rest
            };
            let room = |picture: &Picture| picture.rooms.get(&session).cloned().unwrap_or_default();
            rest(found) == rest(after) && not_thinned(&room(before), &room(after), &room(found))
        }
        _ => false,
    };
    if allowed {
        return Ok(Found::Between);
    }
    Err(format!(
        "{deed:?} is half done: from before {{{}}}, to after {{{}}}",
        before.difference(found),
        found.difference(after)
    ))
}

fn same_else(before: &Picture, found: &Picture) -> bool {
    (&before.policies, &before.guards, &before.files)
        == (&found.policies, &found.guards, &found.files)
}

/// Each session is as it was, as it will be, or as `allowed` says.
fn rooms(
    before: &Picture,
    after: &Picture,
    found: &Picture,
    allowed: &dyn Fn(&Room, &Room, &Room) -> bool,
) -> bool {
    let names = before.rooms.keys().chain(found.rooms.keys());
    let empty = Room::default();
    names.collect::<BTreeSet<_>>().into_iter().all(|name| {
        let of = |picture: &'_ Picture| picture.rooms.get(name).cloned().unwrap_or(empty.clone());
        let (before, after, found) = (of(before), of(after), of(found));
        found == before || found == after || allowed(&before, &after, &found)
    })
}

/// What goes lies in the trash yet, or is gone in part; what stays stays as it is.
fn emptied(before: &Room, after: &Room, found: &Room) -> bool {
    let live = (&found.live, &found.log);
    // The session itself is forgotten last, with its log.
    let forgotten = after.log.is_none() && found.live.is_empty() && found.log.is_some();
    if live != (&before.live, &before.log) && live != (&after.live, &after.log) && !forgotten {
        return false;
    }
    let stays = after.trash.iter().all(|(id, said)| {
        // It is there, or has not come yet.
        let comes = found.live == before.live && !before.trash.contains_key(id);
        found.trash.get(id) == Some(said) || comes
    });
    let was = |id, said| before.trash.get(id) == Some(said) || after.trash.get(id) == Some(said);
    let came = |id| {
        let of = |room: &Room| room.live.iter().any(|(live, ..)| live == id);
        of(before) && !of(found)
    };
    stays
        && found
            .trash
            .iter()
            .all(|(id, said)| was(id, said) || came(id))
}

/// All is saved, and what is more than is kept of fuller states is still there.
fn not_thinned(before: &Room, after: &Room, found: &Room) -> bool {
    let states = |room: &Room| -> BTreeMap<_, _> {
        let live = room.live.iter();
        live.map(|(id, _, text)| (*id, text.clone())).collect()
    };
    let goes = |id: &SnapshotId| after.trash.contains_key(id) && !before.trash.contains_key(id);
    let (found_states, mut stays) = (states(found), states(found));
    stays.retain(|id, _| !goes(id));
    found_states.len() > stays.len()
        && stays == states(after)
        && found.trash == before.trash
        && found.log.as_ref().map(Vec::len) >= after.log.as_ref().map(Vec::len)
}

/// What stands at the target is kept, the log says that it begins, the target is written, the log says that
/// it is done: in this order. What is `decided` on the log does not wait for what was cut off before, and says
/// so there as it begins.
fn put_back(before: &Picture, after: &Picture, found: &Picture, decided: bool) -> bool {
    let live = |picture: &Picture| -> Vec<_> {
        let rooms = picture.rooms.iter();
        rooms
            .map(|(name, room)| (name.clone(), room.live.clone(), room.trash.clone()))
            .collect()
    };
    let log = |picture: &Picture| -> Vec<_> {
        picture
            .rooms
            .values()
            .map(|room| room.log.clone())
            .collect()
    };
    let begun: Vec<_> = {
        let rooms = after.rooms.iter();
        let of = |(name, room): (&String, &Room)| {
            let old = before.rooms.get(name).and_then(|room| room.log.clone());
            let old = old.unwrap_or_default();
            let mut log = room.log.clone();
            if let Some(log) = log.as_mut().filter(|log| log.len() > old.len()) {
                // Until it is done, an undo has not undone anything.
                log.truncate(1);
                log[0] = log[0].replace("status: Done", "status: Begun");
                log.extend(old.into_iter().map(|entry| {
                    let overtaken = decided && entry.contains("status: Begun");
                    let text = "failure: Some(\"it was not waited for: it may have been cut off\")";
                    let told = entry.replace("failure: None", text);
                    if overtaken { told } else { entry }
                }));
            }
            log
        };
        rooms.map(of).collect()
    };
    let (kept, begins) = (live(found) == live(after), log(found) == begun);
    let written = found.files == after.files;
    let step = |ok: bool| ok || before.files == after.files;
    (&found.policies, &found.guards) == (&before.policies, &before.guards)
        && (kept || live(found) == live(before))
        && (written || found.files == before.files)
        && if begins {
            kept
        } else if log(found) == log(before) {
            !written || step(false)
        } else {
            log(found) == log(after) && kept && written
        }
}
