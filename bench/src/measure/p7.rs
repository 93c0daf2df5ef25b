//! P7: looking things up among many snapshots.
//!
//! A store's newest page, and a session's, must not cost more because there is a long history
//! behind them. What needs a look at every snapshot is measured too, and said to.

mod house;

use anyhow::{Context, Result};
use dalsegno::{Engine, Kind, Query, Sort};

use super::Plan;
use super::cpu::spent;
use super::memory;
use super::rounds::{Contest, Timing};
use crate::report::{Bound, Cell, Findings, Table};
use house::{House, LONG, SHORT};

/// Snapshots in a page.
const PAGE: usize = 50;

/// The CPU of a first page, in microseconds.
const FIRST_PAGE: f64 = 1_000.0;

/// The same among 1,000 snapshots as among the most: but for the noise of the machine.
const SAME: Bound = Bound::AtMost(1.2);

/// The figures that have targets.
const FIRST: [&str; 3] = [
    "first page of the store",
    "first page of the long session",
    "first page of a short session",
];

/// Each look-up at each size, then what it takes to page through everything.
pub fn run(plan: &Plan) -> Result<Findings> {
    let sizes: &[usize] = if plan.quick {
        &[1_000, 100_000]
    } else {
        &[1_000, 100_000, 1_000_000]
    };
    let mut columns = vec!["look-up".to_owned()];
    columns.extend(sizes.iter().map(|size| format!("among {size}")));
    let mut table = Table::new("p7", "looking up, CPU", &[]);
    table.columns.clone_from(&columns);
    table.note(house::NOTE);
    table.note(format!(
        "pages of {PAGE}; medians of {} rounds, the files in memory; `every snapshot` marks what has \
         to look at each, {} rounds; among 1000 the session has but 500 to go back",
        plan.rounds(),
        plan.few_rounds()
    ));
    let mut whole = Table::new("p7", "everything, page by page, CPU for each snapshot", &[]);
    whole.columns = columns;
    whole.note("all snapshots of the long session, in pages of 500");
    let mut rows: Vec<(String, Vec<f64>)> = Vec::new();
    let mut whole_rows: Vec<(&str, Vec<Cell>)> = Vec::new();
    for &size in sizes {
        let house = House::build(size)?;
        table.note(format!("{size} snapshots: {}", house.built));
        memory::reset_peak();
        let before = memory::peak();
        for timing in look_up(plan, &house)? {
            match rows.iter_mut().find(|(name, _)| *name == timing.name) {
                Some((_, times)) => times.push(timing.median.cpu_us),
                None => rows.push((timing.name, vec![timing.median.cpu_us])),
            }
        }
        if let (Some(before), Some(after)) = (before, memory::peak()) {
            table.note(format!(
                "memory that all look-ups among {size} needed beyond what was in use: {:.1} MB",
                after.saturating_sub(before) as f64 / 1e6
            ));
        }
        for (name, cell) in everything(&house)? {
            match whole_rows.iter_mut().find(|(known, _)| *known == name) {
                Some((_, cells)) => cells.push(cell),
                None => whole_rows.push((name, vec![cell])),
            }
        }
    }
    let mut found = Findings::default();
    for (name, times) in rows {
        let (first, last) = (times.first(), times.last());
        if let (Some(first), Some(last), true) = (first, last, FIRST.contains(&name.as_str())) {
            let most = sizes.last().context("there are sizes")?;
            let what = format!("CPU, {name}, among {most}");
            let limit = Bound::AtMost(1.0);
            found.claim("p7", format!("{what}: of 1 ms"), limit, last / FIRST_PAGE);
            found.claim("p7", format!("{what}: of among 1000"), SAME, last / first);
        }
        table.row(name, times.into_iter().map(Cell::Micros));
    }
    for (name, cells) in whole_rows {
        whole.row(name, cells);
    }
    found.tables.push(table);
    found.tables.push(whole);
    Ok(found)
}

/// The queries of the contest: what they are called, how often they run in a round, themselves.
fn queries(house: &House) -> Result<Vec<(&'static str, usize, Query)>> {
    let of = |session: &str| Query {
        limit: PAGE,
        ..Query::session(session)
    };
    let store = || Query {
        limit: PAGE,
        ..Query::default()
    };
    let after = |query: Query| -> Result<Query> {
        // Some way into it: the hundredth page where there are so many, else the fifth.
        let pages = if house.snapshots > 10_000 { 100 } else { 5 };
        let far = Query {
            limit: PAGE * pages,
            ..query.clone()
        };
        let cursor = house.engine.list(&far)?.next;
        Ok(Query { cursor, ..query })
    };
    let long = || of(LONG);
    let with = |query: Query, change: &dyn Fn(&mut Query)| {
        let mut query = query;
        change(&mut query);
        query
    };
    let kind = |query: &mut Query| query.kinds = vec![Kind::Manual];
    let tag = |query: &mut Query| query.tags = vec![house::TAG.to_owned()];
    let name = |query: &mut Query| query.name = Some(house::name(0));
    let recent = |query: &mut Query| query.since = Some(house.ago(1_000));
    let few = |query: &mut Query| query.since = Some(house.ago(20));
    let back = |query: &mut Query| query.reverse = true;
    let sort = |by: Sort| move |query: &mut Query| query.sort = by;
    Ok(vec![
        (FIRST[0], 20, store()),
        (FIRST[1], 20, long()),
        (FIRST[2], 20, of(SHORT)),
        ("a page far into the store", 20, after(store())?),
        ("a page far into the long session", 20, after(long())?),
        ("kind (1 in 10), store", 5, with(store(), &kind)),
        ("kind (1 in 5), long session", 5, with(long(), &kind)),
        ("tag (1 in 20), store", 5, with(store(), &tag)),
        ("tag (1 in 10), long session", 5, with(long(), &tag)),
        ("since, page full, store", 20, with(store(), &recent)),
        ("since, page full, long session", 20, with(long(), &recent)),
        (
            "since, 20 match: every snapshot, store",
            1,
            with(store(), &few),
        ),
        (
            "since, 20 match: every snapshot, long session",
            1,
            with(long(), &few),
        ),
        ("name: every snapshot, store", 1, with(store(), &name)),
        ("oldest first, store", 20, with(store(), &back)),
        ("oldest first, long session", 1, with(long(), &back)),
        ("oldest first, short session", 1, with(of(SHORT), &back)),
        (
            "by time: every snapshot, store",
            1,
            with(store(), &sort(Sort::Created)),
        ),
        (
            "by size: every snapshot, store",
            1,
            with(store(), &sort(Sort::Size)),
        ),
        (
            "by name: every snapshot, store",
            1,
            with(store(), &sort(Sort::Name)),
        ),
        (
            "by size: every snapshot, long session",
            1,
            with(long(), &sort(Sort::Size)),
        ),
    ])
}

fn look_up(plan: &Plan, house: &House) -> Result<Vec<Timing>> {
    let engine = &house.engine;
    let mut quick = Contest::default();
    let mut slow = Contest::default();
    for (name, units, query) in queries(house)? {
        // What looks at everything leaves nothing of the others' in the processor's caches.
        let contest = if name.contains("every snapshot") {
            &mut slow
        } else {
            &mut quick
        };
        contest.add(name, units, move || {
            for _ in 0..units {
                std::hint::black_box(engine.list(&query)?);
            }
            Ok(())
        });
    }
    let back = house.snapshots / 2 - 1;
    let references = [
        ("SESSION@latest", 20, format!("{LONG}@latest")),
        ("SESSION@-1", 20, format!("{LONG}@-1")),
        ("SESSION@-400", 5, format!("{LONG}@-{}", back.min(400))),
        ("SESSION@-1000", 5, format!("{LONG}@-{}", back.min(1_000))),
        ("an id", 20, house.id.clone()),
        (
            "the first 18 characters of an id",
            20,
            house.id[..18].to_owned(),
        ),
        ("a name", 20, house::name(0)),
        ("SESSION@NAME", 20, format!("{LONG}@{}", house::name(0))),
    ];
    for (name, units, reference) in references {
        quick.add(name, units, move || {
            for _ in 0..units {
                std::hint::black_box(engine.info(&reference)?);
            }
            Ok(())
        });
    }
    quick.add("a session that is not there: every session", 1, || {
        let query = Query::session("nobody");
        Ok(engine.list(&query).is_err())
    });
    slow.add(
        "stats: every snapshot, store",
        1,
        || Ok(engine.stats(None)?),
    );
    slow.add(
        "stats with 100 states: every snapshot, long session",
        1,
        || Ok(engine.stats(Some(LONG))?),
    );
    let mut timings = quick.run(plan.rounds())?;
    timings.extend(slow.run(plan.few_rounds())?);
    Ok(timings)
}

/// CPU for each snapshot of the long session.
fn everything(house: &House) -> Result<Vec<(&'static str, Cell)>> {
    let count = (house.snapshots / 2) as f64;
    let mut found = Vec::new();
    for (name, reverse) in [("newest first", false), ("oldest first", true)] {
        let (seen, took) = spent(|| all_pages(&house.engine, reverse))?;
        anyhow::ensure!(seen as f64 == count, "{name}: {seen} of {count}");
        found.push((name, Cell::Micros(took.cpu_us / count)));
    }
    // An export rebuilds each state as well; the longest history would take minutes.
    let export = if house.snapshots > 200_000 {
        Cell::None
    } else {
        let (written, took) =
            spent(|| Ok(house.engine.export(Some(LONG), &mut std::io::sink())?))?;
        anyhow::ensure!(written as f64 == count, "exported {written} of {count}");
        Cell::Micros(took.cpu_us / count)
    };
    found.push(("export", export));
    Ok(found)
}

fn all_pages(engine: &Engine, reverse: bool) -> Result<usize> {
    let mut query = Query {
        limit: 500,
        reverse,
        ..Query::session(LONG)
    };
    let mut seen = 0;
    loop {
        let page = engine.list(&query)?;
        seen += page.snapshots.len();
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(seen),
        }
    }
}
