//! Where the way along a session is broken, and what may have stood there.

use super::report::{Gap, SessionRepairs};
use super::session::{From, Session, Wanted};

/// A stretch that nothing intact leads through.
pub(super) struct Hole {
    /// The last that is there before it.
    pub(super) after: Option<i64>,
    /// Its end, which belongs to it.
    pub(super) to: i64,
    /// The snapshot at its end, where that is known.
    pub(super) named: Option<i64>,
}

impl Hole {
    pub(super) fn has(&self, seq: i64) -> bool {
        self.after.is_none_or(|after| seq > after) && seq <= self.to
    }
}

impl Session<'_> {
    /// Where the way along the session is broken.
    pub(super) fn gaps(&self, report: &mut SessionRepairs) -> Vec<Hole> {
        let stand = self.stand;
        let mut gaps = Vec::new();
        let below = |seq: i64| {
            let at = stand.live.partition_point(|light| light.seq < seq);
            at.checked_sub(1)
                .and_then(|at| stand.live.get(at))
                .map(|light| light.seq)
        };
        let known = |seq: i64| {
            stand
                .live
                .binary_search_by_key(&seq, |light| light.seq)
                .is_ok()
        };
        let mut led = Vec::new();
        led.extend(stand.live.iter().filter_map(|light| light.parent));
        match stand
            .row
            .as_ref()
            .filter(|_| stand.row_is_intact(self.store))
        {
            Some(row) => led.extend(Some(row.head).filter(|head| *head != 0)),
            None => gaps.push(Hole {
                after: stand.live.last().map(|light| light.seq),
                to: i64::MAX,
                named: None,
            }),
        }
        for parent in led.into_iter().filter(|parent| !known(*parent)) {
            gaps.push(Hole {
                after: below(parent),
                to: parent,
                named: Some(parent),
            });
        }
        for row in &stand.damaged {
            if gaps.iter().any(|gap| gap.has(row.seq)) {
                let named = Some(row.seq);
                let after = below(row.seq);
                if !gaps.iter().any(|gap| gap.named == named) {
                    gaps.push(Hole {
                        after,
                        to: row.seq,
                        named,
                    });
                }
            } else if !known(row.seq) {
                report.notes.push(format!(
                    "a damaged row stood where no snapshot was (its number says {}); it is taken away",
                    self.id(row.seq)
                ));
            }
        }
        gaps
    }

    /// Says where others may have stood: before a snapshot whose own row is lost, so that nobody knows which one it
    /// came after.
    pub(super) fn name_gaps(&self, gaps: &[Hole], wanted: &Wanted, report: &mut SessionRepairs) {
        for gap in gaps {
            let lost = match gap.named {
                // Damaged in its place, it may still say what it came after.
                Some(seq) => {
                    let stands = self.stand.damaged.iter().find(|row| row.seq == seq);
                    stands.is_none_or(|row| row.parent != gap.after)
                        && !matches!(wanted.live.get(&seq), Some(From::Source(..)))
                }
                None => self.holes.sessions,
            };
            if !lost {
                continue;
            }
            // A row that was made anew does not say what it came after; one of a source does.
            let of_source = wanted
                .live
                .iter()
                .filter(|(seq, row)| gap.has(**seq) && matches!(row, From::Source(..)));
            let after = of_source.map(|(seq, _)| *seq).next_back().or(gap.after);
            let next = self.stand.live.partition_point(|light| light.seq <= gap.to);
            let before = self.stand.live.get(next).map(|light| light.seq);
            let gap = Gap {
                after: after.map(|seq| self.id(seq)),
                before: before.map(|seq| self.id(seq)),
            };
            if !report.gaps.contains(&gap) {
                report.gaps.push(gap);
            }
        }
    }
}
