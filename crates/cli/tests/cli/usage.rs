use crate::common::House;

pub(crate) const VERBS: [&[&str]; 82] = [
    &["hermes", "inspect"],
    &["hermes", "recover"],
    &["hermes", "recover-all"],
    &["hermes", "generations"],
    &["demo"],
    &["demo", "sonora"],
    &["init"],
    &["snapshot", "save"],
    &["snapshot", "list"],
    &["snapshot", "info"],
    &["snapshot", "show"],
    &["snapshot", "diff"],
    &["snapshot", "restore"],
    &["snapshot", "rename"],
    &["snapshot", "tag"],
    &["snapshot", "untag"],
    &["snapshot", "pin"],
    &["snapshot", "unpin"],
    &["snapshot", "delete"],
    &["snapshot", "undelete"],
    &["snapshot", "cleanup"],
    &["rollback"],
    &["undo"],
    &["redo"],
    &["log"],
    &["events"],
    &["recover"],
    &["migrate", "rehearse"],
    &["lease", "list"],
    &["lease", "release"],
    &["key", "generate"],
    &["key", "init"],
    &["key", "add"],
    &["key", "list"],
    &["key", "rotate"],
    &["key", "remove"],
    &["key", "wipe"],
    &["access", "list"],
    &["access", "add"],
    &["access", "set"],
    &["access", "token"],
    &["access", "remove"],
    &["access", "reset"],
    &["audit", "on"],
    &["audit", "off"],
    &["audit", "log"],
    &["audit", "verify"],
    &["audit", "head"],
    &["backup", "create"],
    &["backup", "list"],
    &["backup", "verify"],
    &["backup", "restore"],
    &["backup", "drill"],
    &["backup", "timer"],
    &["session", "erase"],
    &["session", "erased"],
    &["fork"],
    &["policy", "set"],
    &["policy", "list"],
    &["policy", "remove"],
    &["guard", "set"],
    &["guard", "list"],
    &["guard", "remove"],
    &["guard", "status"],
    &["guard", "restore"],
    &["config", "show"],
    &["config", "check"],
    &["config", "path"],
    &["trust"],
    &["watch"],
    &["watch", "restore"],
    &["watch", "service"],
    &["verify"],
    &["repair"],
    &["scrub"],
    &["export"],
    &["import"],
    &["doctor"],
    &["stats"],
    &["report"],
    &["completions"],
    &["man"],
];

#[test]
fn every_verb_has_help_with_examples() {
    let house = House::empty();
    for verb in VERBS {
        for flag in ["-h", "--help"] {
            let ran = house.run(&[verb, &[flag]].concat()).ok();
            let example = format!("Examples:\n  dalsegno {}", verb.join(" "));
            ran.says(&example)
                .says("--json")
                .says("--store")
                .says("--key-file")
                .says("--token-file");
        }
    }
    let ran = house.run(&["--help"]).ok();
    for word in
        VERBS
            .iter()
            .map(|verb| verb[0])
            .chain(["SESSION@", "130 interrupted", "DALSEGNO_STORE"])
    {
        ran.says(word);
    }
    assert!(!ran.text().contains("demo-writer"));
    house.run(&["snapshot", "--help"]).ok().says("restore");
    let version = house.run(&["--version"]).ok().text();
    assert_eq!(version, format!("dalsegno {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn what_cannot_be_understood_is_exit_code_2() {
    let house = House::new();
    for arguments in [
        &[][..],
        &["snapshot"],
        &["fly"],
        &["snapshot", "fly"],
        &["snapshot", "list", "--odd"],
        &["snapshot", "save"],
        &["snapshot", "info"],
        &["snapshot", "list", "a", "b"],
        &["import"],
        &["--store"],
    ] {
        house.run(arguments).refused(2, "--help");
        let ran = house.run(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, Some(2), "{ran}");
        assert_eq!(ran.error().0, "usage", "{ran}");
    }
}

#[test]
fn colours_are_for_terminals_and_for_those_who_want_them() {
    let house = House::new();
    house.save("s", "1");
    let listed = |variables: &[(&str, &str)]| {
        let mut command = house.command(&["snapshot", "list"]);
        command.envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(!listed(&[]).contains('\u{1b}'));
    assert!(listed(&[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(!listed(&[("NO_COLOR", "1")]).contains('\u{1b}'));
    // A state is never touched by it.
    house.save("t", "\"\u{9b}31m red\"");
    assert_eq!(
        house.run(&["snapshot", "show", "t@latest"]).ok().text(),
        "\"\u{9b}31m red\""
    );
}
