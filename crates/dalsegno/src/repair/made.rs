//! The rows of a session's snapshots, as they will be.

use std::collections::{BTreeMap, BTreeSet};

use super::found::Came;
use super::report::{How, Lost, RepairedSnapshot, SessionRepairs};
use super::session::{From, Session, Wanted, state_of};
use super::states::States;
use crate::codec::checksum;
use crate::codec::detail::{self, Detail, Mark};
use crate::delete::GRACE;
use crate::document::split;
use crate::error::{Error, Result};
use crate::model::{Kind, RepairedComponent};
use crate::store::{Exchange, PINNED, Row, SnapshotRow, TrashRow};

/// How long what comes to the trash stays there, in microseconds.
fn grace() -> i64 {
    i64::try_from(GRACE.as_micros()).unwrap_or(i64::MAX)
}

impl Session<'_> {
    /// Makes the rows of the snapshots, and says what became of each; answers which states they have.
    pub(super) fn finish(
        &self,
        rows: &mut Wanted,
        came: &BTreeMap<i64, Came>,
        states: &mut States<'_>,
        exchange: &mut Exchange,
        report: &mut SessionRepairs,
        touched: &mut Vec<i64>,
    ) -> Result<BTreeSet<i64>> {
        let sources = self.sources_of()?;
        let mut names: BTreeSet<String> = BTreeSet::new();
        for row in rows.live.values() {
            if let From::Here(row) = row {
                names.extend(row.name.clone());
            }
        }
        exchange
            .take
            .snapshots
            .extend(self.stand.damaged.iter().cloned());
        exchange
            .take
            .trash
            .extend(self.stand.damaged_trash.iter().cloned());
        exchange.take.trash.append(&mut rows.doubled);
        let (mut before, mut gone, mut kept_states) = (None, Vec::new(), BTreeSet::new());
        for (seq, from) in &rows.live {
            let Some(mut row) = self.made(*seq, from, came, states, &sources, report)? else {
                gone.push(*seq);
                continue;
            };
            kept_states.insert(row.state_seq());
            row.parent = before;
            before = Some(*seq);
            if !matches!(from, From::Here(_))
                && let Some(name) = &row.name
                && !names.insert(name.clone())
            {
                report.notes.push(format!(
                    "snapshot {} lost its name, {}: another one has it by now",
                    self.id(*seq),
                    name.escape_debug()
                ));
                row.name = None;
            }
            let row = row.summed(self.store);
            match from {
                From::Here(was) if *was == row => continue,
                From::Here(was) => exchange.take.snapshots.push(was.clone()),
                _ => {}
            }
            touched.push(*seq);
            exchange.put.snapshots.push(row);
        }
        for seq in gone {
            rows.live.remove(&seq);
        }
        for (seq, (from, kept)) in &rows.trash {
            let Some(snapshot) = self.made(*seq, from, came, states, &sources, report)? else {
                continue;
            };
            kept_states.insert(snapshot.state_seq());
            let term = kept.as_ref().map(|row| (row.deleted_at, row.keep_until));
            let (deleted_at, keep_until) =
                term.unwrap_or((self.now, self.now.saturating_add(grace())));
            let row = TrashRow {
                snapshot: SnapshotRow {
                    checksum: [0; 16],
                    ..snapshot
                },
                deleted_at,
                keep_until,
                checksum: [0; 16],
            };
            let row = row.summed(self.store);
            match (from, kept) {
                (From::Here(_), Some(was)) if *was == row => continue,
                (From::Here(_), Some(was)) => exchange.take.trash.push(was.clone()),
                _ => {}
            }
            touched.push(*seq);
            exchange.put.trash.push(row);
        }
        Ok(kept_states)
    }

    /// The row of a snapshot as it will be, but for its place; nothing where there is none.
    pub(super) fn made(
        &self,
        seq: i64,
        from: &From,
        came: &BTreeMap<i64, Came>,
        states: &mut States<'_>,
        sources: &[usize],
        report: &mut SessionRepairs,
    ) -> Result<Option<SnapshotRow>> {
        let how = came
            .get(&state_of(seq, from))
            .cloned()
            .unwrap_or(Came::Lost);
        let source = |at: usize| {
            self.sources
                .get(at)
                .map_or_else(String::new, |it| it.name.clone())
        };
        let back = |how| RepairedSnapshot {
            snapshot: self.id(seq),
            how,
        };
        let mut row = match from {
            From::Made => return self.anew(seq, &how, states, report),
            From::Here(row) | From::Source(_, row) => row.clone(),
        };
        match (&how, from) {
            (Came::Lost, From::Here(_)) => {
                let why =
                    "its state is gone, and the session has none that is intact; its row is left until a copy or a backup has it, or the session is erased"
                        .to_owned();
                report.lost.push(Lost {
                    snapshot: self.id(seq),
                    why,
                });
                return Ok(Some(row));
            }
            (Came::Lost, _) => {
                let why = "its state is gone, and no source has it".to_owned();
                report.lost.push(Lost {
                    snapshot: self.id(seq),
                    why,
                });
                return Ok(None);
            }
            (Came::Salvaged(components, lost, size), _) => {
                let mut detail = detail::decode(&row.detail)?;
                let document = states.proved(row.state_seq(), None)?;
                let document = document
                    .ok_or_else(|| Error::storage("a state that was put cannot be read"))?;
                detail.checksum = checksum::of_document(&document);
                row.size = *size;
                detail.repaired = Some(Mark {
                    at: self.now,
                    metadata: false,
                    lost: Some(*lost),
                    components: components.clone(),
                    elsewhere: Vec::new(),
                });
                row.detail = detail::encode(&detail)?;
                let components =
                    components
                        .iter()
                        .map(|(component, from, agreed)| RepairedComponent {
                            component: component.clone(),
                            from: self.id(*from),
                            agreed: *agreed,
                        });
                report.snapshots.push(back(How::Salvaged {
                    components: components.collect(),
                }));
            }
            (Came::Source(at), From::Here(_)) => {
                let how = How::FromSource {
                    source: source(*at),
                    metadata: false,
                };
                report.snapshots.push(back(how));
            }
            (Came::Found, From::Here(_)) => report.snapshots.push(back(How::FoundHere)),
            (Came::Here | Came::Source(_) | Came::Found, From::Source(at, _)) => {
                let how = How::FromSource {
                    source: source(*at),
                    metadata: true,
                };
                report.snapshots.push(back(how));
            }
            (Came::Here | Came::Source(_) | Came::Found, _) => {}
        }
        // What a repair had marked, and a source has whole.
        if let From::Here(_) = from
            && !matches!(how, Came::Salvaged(..))
            && let Ok(mut detail) = detail::decode(&row.detail)
            && let Some(mark) = &detail.repaired
            && let Some((at, there)) = self.unmarked(sources, seq)?
        {
            if mark.metadata {
                row = SnapshotRow {
                    parent: row.parent,
                    ..there
                };
            } else {
                detail.checksum = detail::decode(&there.detail)?.checksum;
                detail.repaired = None;
                row.size = there.size;
                row.detail = detail::encode(&detail)?;
            }
            if matches!(how, Came::Here) {
                let how = How::FromSource {
                    source: source(at),
                    metadata: true,
                };
                report.snapshots.push(back(how));
            }
        }
        Ok(Some(row))
    }

    /// A row for a snapshot of which only the record is left.
    pub(super) fn anew(
        &self,
        seq: i64,
        how: &Came,
        states: &mut States<'_>,
        report: &mut SessionRepairs,
    ) -> Result<Option<SnapshotRow>> {
        let document = match how {
            // What a source has of it, it would have given with its row.
            Came::Here | Came::Source(_) | Came::Found => states.proved(seq, None)?,
            _ => None,
        };
        let Some(document) = document else {
            let why = "its row is gone, and its state cannot be rebuilt".to_owned();
            report.lost.push(Lost {
                snapshot: self.id(seq),
                why,
            });
            return Ok(None);
        };
        let text = document.to_text();
        let detail = Detail {
            checksum: checksum::of(&text),
            turn: split(&text, None)?.turn,
            repaired: Some(Mark {
                at: self.now,
                metadata: true,
                lost: None,
                components: Vec::new(),
                elsewhere: Vec::new(),
            }),
            ..Detail::default()
        };
        let stored = states.entry(seq)?.record.len();
        report.snapshots.push(RepairedSnapshot {
            snapshot: self.id(seq),
            how: How::MetadataLost,
        });
        Ok(Some(SnapshotRow {
            seq,
            session: self.number,
            created_at: self.id(seq).time().as_microsecond(),
            kind: Kind::Manual.code(),
            // So that nothing deletes it before somebody has looked.
            flags: PINNED,
            size: i64::try_from(text.len()).unwrap_or(i64::MAX),
            stored: i64::try_from(stored).unwrap_or(i64::MAX),
            parent: None,
            state: None,
            epoch: 0,
            name: None,
            detail: detail::encode(&detail)?,
            checksum: [0; 16],
        }))
    }
}
