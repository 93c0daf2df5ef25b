//! Everything that can be seen of a house.

use std::collections::BTreeMap;

use dalsegno::{Engine, ErrorKind, Query, SnapshotId};

use crate::is_state;

/// What can be seen of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Room {
    /// Its snapshots, in commit order, with everything that is said of them, and their texts.
    pub live: Vec<(SnapshotId, String, Vec<u8>)>,
    /// What is in the trash, with everything that is said of it.
    pub trash: BTreeMap<SnapshotId, String>,
    /// Its log, newest first; nothing where there is no such session.
    pub log: Option<Vec<String>>,
    /// How it stands with what it lost, where it is guarded.
    pub lost: Option<String>,
}

/// Everything that can be seen of a house.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub rooms: BTreeMap<String, Room>,
    pub policies: Vec<String>,
    pub guards: Vec<String>,
    pub files: Vec<Option<Vec<u8>>>,
}

impl Picture {
    /// # Errors
    /// What is not whole: the picture is one of a store that verifies.
    pub fn of(engine: &Engine, files: Vec<Option<Vec<u8>>>) -> Result<Self, String> {
        let found = engine.verify(None).map_err(shown)?;
        if !found.is_intact() {
            return Err(format!("{:?}", found.damage));
        }
        let mut rooms: BTreeMap<String, Room> = BTreeMap::new();
        for session in engine.sessions().map_err(shown)? {
            let log = engine.log(&session, usize::MAX).map_err(shown)?;
            let log = log.iter().map(|entry| format!("{entry:?}")).collect();
            rooms.entry(session).or_default().log = Some(log);
        }
        let all = Query {
            limit: usize::MAX,
            reverse: true,
            ..Query::default()
        };
        let page = engine.list(&all).map_err(shown)?;
        for snapshot in page.snapshots {
            let id = snapshot.id;
            let restored = engine.restore(&id.to_string()).map_err(shown)?;
            let said = format!("{snapshot:?}");
            let text = restored.into_text();
            // All that is ever saved says itself what it is.
            if !is_state(&text) {
                return Err(format!("another text for {id}"));
            }
            let room = rooms.entry(snapshot.session).or_default();
            room.live.push((id, said, text));
        }
        for trashed in engine.trash(None).map_err(shown)? {
            let room = rooms.entry(trashed.snapshot.session.clone()).or_default();
            room.trash
                .insert(trashed.snapshot.id, format!("{trashed:?}"));
        }
        for session in engine.guarded_sessions().map_err(shown)? {
            let lost = match engine.guard_status(&session) {
                Ok(report) if !report.damage.is_empty() => {
                    return Err(format!("{session}: {:?}", report.damage));
                }
                Ok(report) => format!("{:?}", report.judgement),
                Err(error) if error.kind() == ErrorKind::NotFound => "nothing there".to_owned(),
                Err(error) => return Err(shown(error)),
            };
            rooms.entry(session).or_default().lost = Some(lost);
        }
        let policies = engine.policies().map_err(shown)?;
        let guards = engine.guards().map_err(shown)?;
        Ok(Self {
            rooms,
            guards: guards.iter().map(|guard| format!("{guard:?}")).collect(),
            policies: policies
                .iter()
                .map(|policy| format!("{policy:?}"))
                .collect(),
            files,
        })
    }

    /// Whether every snapshot here is one of the other's, with the same text, and the rest is the same.
    pub fn is_part_of(&self, other: &Self) -> bool {
        let texts = |picture: &Self| -> BTreeMap<SnapshotId, Vec<u8>> {
            let live = picture.rooms.values().flat_map(|room| &room.live);
            live.map(|(id, _, text)| (*id, text.clone())).collect()
        };
        let all = texts(other);
        texts(self)
            .iter()
            .all(|(id, text)| all.get(id) == Some(text))
            && self.rooms.keys().eq(other.rooms.keys())
            && (&self.policies, &self.guards, &self.files)
                == (&other.policies, &other.guards, &other.files)
    }

    /// What differs, in few words.
    pub fn difference(&self, other: &Self) -> String {
        let empty = Room::default();
        let names = self.rooms.keys().chain(other.rooms.keys());
        let mut words: Vec<String> = Vec::new();
        for name in names {
            let (a, b) = (self.rooms.get(name), other.rooms.get(name));
            if a == b {
                continue;
            }
            let (a, b) = (a.unwrap_or(&empty), b.unwrap_or(&empty));
            words.push(format!(
                "{name}: {} and {} snapshots{}, {} and {} in the trash{}, the logs {:?} and {:?}",
                a.live.len(),
                b.live.len(),
                if a.live == b.live {
                    ""
                } else {
                    " (not the same)"
                },
                a.trash.len(),
                b.trash.len(),
                if a.trash == b.trash {
                    ""
                } else {
                    " (not the same)"
                },
                a.log
                    .as_ref()
                    .filter(|_| a.log != b.log)
                    .and_then(|log| log.first()),
                b.log
                    .as_ref()
                    .filter(|_| a.log != b.log)
                    .and_then(|log| log.first()),
            ));
            if a.lost != b.lost {
                words.push(format!("what it lost: {:?} and {:?}", a.lost, b.lost));
            }
        }
        words.dedup();
        if self.policies != other.policies {
            words.push("the policies".to_owned());
        }
        if self.guards != other.guards {
            words.push("the guards".to_owned());
        }
        if self.files != other.files {
            words.push("the files".to_owned());
        }
        words.join("; ")
    }
}

fn shown(error: dalsegno::Error) -> String {
    format!("{}: {error}", error.kind())
}
