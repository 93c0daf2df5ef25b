//! `completions` and `man`: made from the same words as `--help`.

use std::process::Command;

use serde_json::json;

use crate::common::{House, skipped};
use crate::usage::VERBS;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

#[test]
fn every_shell_has_a_script_with_every_visible_verb() {
    let house = House::empty();
    for shell in SHELLS {
        let ran = house.run(&["completions", shell]).ok();
        for verb in VERBS {
            ran.says(verb.last().unwrap());
        }
        assert!(!ran.text().contains("demo-writer"), "{shell}");
    }
    house.run(&["completions", "csh"]).refused(2, "powershell");
    house.run(&["completions"]).refused(2, "--help");
    let ran = house.run(&["completions", "bash", "--json"]);
    assert_eq!((ran.code, ran.error().0.as_str()), (Some(2), "usage"));
}

#[test]
fn scripts_are_what_their_shells_can_read() {
    let house = House::empty();
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        house.write("script", house.run(&["completions", shell]).ok().out);
        match Command::new(shell)
            .arg(check)
            .arg(house.path("script"))
            .output()
        {
            Ok(checked) => assert!(checked.status.success(), "{shell}: {checked:?}"),
            Err(_) => skipped(&format!("{shell} is not here")),
        }
    }
}

#[test]
fn a_loaded_script_completes() {
    let house = House::empty();
    house.write("script", house.run(&["completions", "bash"]).ok().out);
    let script = "bash -c 'source ./script; COMP_WORDS=(dalsegno sna); COMP_CWORD=1
        _dalsegno dalsegno sna dalsegno; echo ${COMPREPLY[@]}'";
    if Command::new("bash").arg("--version").output().is_err() {
        return skipped("bash is not here");
    }
    assert_eq!(house.shell(script).ok().text(), "snapshot\n");
}

#[test]
fn every_visible_verb_has_a_page_and_no_other() {
    let house = House::empty();
    let ran = house.run(&["man", "--output", "pages/man1", "--json"]).ok();
    let mut expected: Vec<_> = VERBS
        .iter()
        .map(|verb| format!("dalsegno-{}.1", verb.join("-")))
        .collect();
    let groups = [
        "dalsegno-access.1",
        "dalsegno-audit.1",
        "dalsegno-backup.1",
        "dalsegno-config.1",
        "dalsegno-guard.1",
        "dalsegno-hermes.1",
        "dalsegno-key.1",
        "dalsegno-lease.1",
        "dalsegno-migrate.1",
        "dalsegno-policy.1",
        "dalsegno-session.1",
        "dalsegno-snapshot.1",
    ];
    expected.extend(groups.map(str::to_owned));
    expected.push("dalsegno.1".to_owned());
    expected.sort();
    assert_eq!(house.names("pages/man1"), expected);
    let mut written: Vec<_> = ran.json()["pages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|page| {
            page.as_str()
                .unwrap()
                .trim_start_matches("pages/man1/")
                .to_owned()
        })
        .collect();
    written.sort();
    assert_eq!(written, expected);
    for name in expected {
        let page = String::from_utf8(house.read(&format!("pages/man1/{name}"))).unwrap();
        let title = name.trim_end_matches(".1");
        assert!(page.contains(&format!(".TH {title} 1")), "{page}");
        assert!(
            page.contains(".SH NAME") && page.contains("store"),
            "{page}"
        );
        let with_notes = page.contains(".SH EXAMPLES") || page.contains(".SH NOTES");
        assert!(with_notes || groups.contains(&name.as_str()), "{page}");
        assert!(!page.contains("demo\\-writer"), "{page}");
    }
    // Again, over what is there.
    house
        .run(&["man", "--output", "pages/man1"])
        .ok()
        .says("wrote");
}

#[test]
fn the_main_page_is_printed() {
    let house = House::empty();
    let ran = house.run(&["man"]).ok();
    ran.says(".TH dalsegno 1")
        .says("dalsegno\\-stats(1)")
        .says("Exit codes");
    let ran = house.run(&["man", "--json"]);
    assert_eq!((ran.code, ran.error().0.as_str()), (Some(2), "usage"));
    house.write("file", "");
    let refused = house.run(&["man", "--output", "file"]);
    assert_eq!(refused.code, Some(1), "{refused}");
    assert_eq!(
        house
            .run(&["man", "--output", "pages", "--json"])
            .ok()
            .json()["pages"][0],
        json!("pages/dalsegno.1")
    );
}
