//! P2: CPU to turn a document into bytes.
//!
//! The floor is one `serde_json::to_vec` of the typed document; beside it stand the parts a save
//! from JSON text cannot do without: a validating scan and a hash.

use anyhow::Result;
use serde::de::IgnoredAny;

use super::Plan;
use super::rounds::Contest;
use crate::report::{Cell, Table};
use crate::workload::chat::{self, ChatDay};
use crate::workload::queue::{self, QueueDay};
use crate::workload::{Document, Layout};

/// States of the day that are measured, spread evenly.
const SAMPLES: usize = 12;

/// A document and its text.
#[derive(Debug)]
pub struct Sample<T> {
    /// The typed document.
    pub state: T,
    /// Its text in the layout of the table.
    pub text: Vec<u8>,
}

/// The queue and the chat, in both layouts.
pub fn run(plan: &Plan) -> Result<Vec<Table>> {
    let saves = plan.saves();
    let mut tables = Vec::new();
    for layout in Layout::ALL {
        let queues = QueueDay::with(plan.seed, queue::TRACKS, saves);
        let samples = sample(queues, saves, layout);
        tables.push(table(
            plan,
            "200-track queue",
            layout,
            queue::RATES,
            &samples,
        )?);
        let chats = ChatDay::with(plan.seed, 4, plan.messages(), saves);
        let samples = sample(chats, saves, layout);
        tables.push(table(plan, "growing chat", layout, chat::RATES, &samples)?);
    }
    Ok(tables)
}

/// Every n-th state of a day, the last one among them.
pub fn sample<T: Document>(
    states: impl Iterator<Item = T>,
    saves: usize,
    layout: Layout,
) -> Vec<Sample<T>> {
    let every = (saves / SAMPLES).max(1);
    let sampled = states.skip(every - 1).step_by(every);
    sampled
        .map(|state| Sample {
            text: state.text(layout),
            state,
        })
        .collect()
}

/// The entries of the contest; each does its work for all samples.
pub fn entries<'a, T: Document>(contest: &mut Contest<'a>, samples: &'a [Sample<T>]) {
    contest.add("serde_json::to_vec (the floor)", move || {
        each(samples, |s| Ok(serde_json::to_vec(&s.state)?))
    });
    // The engine's entries go here: from the text, from the `Serialize` value, and from a session
    // of shared structures.
    contest.add("serde_json::to_vec_pretty", move || {
        each(samples, |s| Ok(serde_json::to_vec_pretty(&s.state)?))
    });
    contest.add("clone of the typed document", move || {
        each(samples, |s| Ok(s.state.clone()))
    });
    contest.add("BLAKE3 of the text", move || {
        each(samples, |s| Ok(blake3::hash(&s.text)))
    });
    contest.add("scan: serde_json IgnoredAny", move || {
        each(samples, |s| scan(&s.text))
    });
    contest.add("scan: UTF-8 check + serde_json IgnoredAny", move || {
        each(samples, |s| {
            simdutf8::basic::from_utf8(&s.text)?;
            scan(&s.text)
        })
    });
    contest.add("scan: sonic-rs IgnoredAny", move || {
        each(samples, |s| sonic_scan(&s.text))
    });
}

/// A scan that accepts exactly what `serde_json` does, UTF-8 inside of texts left aside.
pub fn scan(text: &[u8]) -> Result<()> {
    serde_json::from_slice::<IgnoredAny>(text)?;
    Ok(())
}

/// The same by `sonic-rs`.
pub fn sonic_scan(text: &[u8]) -> Result<()> {
    sonic_rs::from_slice::<IgnoredAny>(text)?;
    Ok(())
}

fn each<T, R>(samples: &[Sample<T>], mut work: impl FnMut(&Sample<T>) -> Result<R>) -> Result<()> {
    for sample in samples {
        std::hint::black_box(work(std::hint::black_box(sample))?);
    }
    Ok(())
}

fn table<T: Document>(
    plan: &Plan,
    title: &str,
    layout: Layout,
    rates: &str,
    samples: &[Sample<T>],
) -> Result<Table> {
    let mut contest = Contest::default();
    entries(&mut contest, samples);
    let timings = contest.run(plan.rounds(), samples.len())?;
    let bytes: usize = samples.iter().map(|s| s.text.len()).sum::<usize>() / samples.len().max(1);

    let title = format!("from document to bytes, {title}, {}", layout.name());
    let mut table = Table::new("p2", title, &["work", "CPU", "of to_vec", "bytes a µs"]);
    table.note(rates);
    table.note(format!(
        "{} states spread over the day, {bytes} bytes on average; medians of {} interleaved rounds",
        samples.len(),
        plan.rounds()
    ));
    let floor = timings.first().map_or(1.0, |t| t.median.cpu_us);
    for timing in timings {
        let cpu = timing.median.cpu_us;
        let cells = [
            Cell::Micros(cpu),
            Cell::Times(cpu / floor),
            Cell::Count(bytes as f64 / cpu),
        ];
        table.row(timing.name, cells);
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_scans_refuse_what_is_not_json() {
        for wrong in [
            "[1,,2]",
            "{\"a\":[1 2]}",
            "{\"a\":tru}",
            "[\"\n\"]",
            "[1]]",
            "[01]",
        ] {
            assert!(scan(wrong.as_bytes()).is_err(), "{wrong}");
            assert!(sonic_scan(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(scan(b"{\"a\": [1, 2.5e3, null]}").is_ok());
        assert!(sonic_scan(b"{\"a\": [1, 2.5e3, null]}").is_ok());
    }

    #[test]
    fn samples_are_spread_and_end_with_the_last() {
        let samples = sample(QueueDay::with(1, 5, 48), 48, Layout::Compact);
        assert_eq!(samples.len(), 12);
        let last = QueueDay::with(1, 5, 48).last().expect("48 states");
        assert_eq!(samples[11].state, last);
    }
}
