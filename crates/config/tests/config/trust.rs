//! Commands and addresses count from the user's own file, and from a project's only while it is trusted as
//! it is.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use dalsegno::ErrorKind;
use dalsegno_config::{Action, Exposure, Refused, State, Trust};

use crate::house::{House, mode};

const HOOK: &str = "[[hook]]\nevents = ['restored']\ncommand = ['./notify.sh']\n";

fn trust(house: &House, file: &Path) {
    Trust::look(&house.layers, file).unwrap().accept().unwrap();
}

/// How many hooks are run, and why the others are not.
fn hooks(house: &House) -> (usize, Vec<Refused>) {
    let loaded = house.load();
    let why = loaded.left_out.into_iter().map(|left_out| left_out.why);
    (loaded.config.hooks.len(), why.collect())
}

#[test]
fn the_users_own_file_is_taken_for_commands() {
    let house = House::new();
    house.user(HOOK);
    assert_eq!(hooks(&house), (1, vec![]));
}

#[test]
fn a_projects_file_is_taken_once_it_is_trusted_and_until_it_changes() {
    let house = House::new();
    let file = house.project(HOOK);
    assert_eq!(hooks(&house), (0, vec![Refused::Untrusted]));
    let said = house.load().left_out[0].to_string();
    for part in ["./notify.sh", ":1)", "is not run", "dalsegno trust '"] {
        assert!(said.contains(part), "{said}");
    }

    let trusting = Trust::look(&house.layers, &file).unwrap();
    assert!(!trusting.already && trusting.hooks.len() == 1);
    // Looking trusts nothing.
    assert_eq!(hooks(&house).0, 0);
    trusting.accept().unwrap();
    assert_eq!(hooks(&house), (1, vec![]));
    assert!(Trust::look(&house.layers, &file).unwrap().already);

    house.project(&format!("{HOOK}\n"));
    assert_eq!(hooks(&house), (0, vec![Refused::Changed]));
    // Back to what was trusted, it counts again.
    house.project(HOOK);
    assert_eq!(hooks(&house), (1, vec![]));
}

#[test]
fn what_was_seen_is_what_is_trusted() {
    let house = House::new();
    let file = house.project(HOOK);
    let trusting = Trust::look(&house.layers, &file).unwrap();
    house.project(&HOOK.replace("notify", "steal"));
    trusting.accept().unwrap();
    assert_eq!(hooks(&house), (0, vec![Refused::Changed]));
}

#[test]
fn values_count_without_trust() {
    let house = House::new();
    house.project(&format!("actor = 'me'\n{HOOK}"));
    let loaded = house.load();
    assert_eq!(loaded.config.actor.unwrap().value, "me");
    assert_eq!(loaded.config.hooks.len(), 0);
}

#[test]
fn a_copy_elsewhere_is_not_trusted() {
    let mut house = House::new();
    trust(&house, &house.project(HOOK));
    house.write("other/dalsegno.toml", HOOK);
    house.layers.working_folder = Some(house.path("other"));
    assert_eq!(hooks(&house), (0, vec![Refused::Untrusted]));
}

#[test]
fn a_link_is_what_it_leads_to_and_commands_run_there() {
    let mut house = House::new();
    trust(&house, &house.project(HOOK));
    fs::create_dir(house.path("other")).unwrap();
    let link = house.path("other/dalsegno.toml");
    symlink(house.path("project/dalsegno.toml"), &link).unwrap();
    house.layers.working_folder = Some(house.path("other"));
    let loaded = house.load();
    // What stands beside the link is not what was trusted.
    let hook = &loaded.config.hooks[0];
    assert_eq!(hook.folder, house.path("project"));
    assert_eq!(hook.program().unwrap(), house.path("project/./notify.sh"));
    // The link may lead elsewhere some day: then it is another file.
    fs::remove_file(&link).unwrap();
    symlink(house.write("evil.toml", HOOK), &link).unwrap();
    assert_eq!(hooks(&house), (0, vec![Refused::Untrusted]));
    // Trusting a link trusts what it leads to now.
    trust(&house, &link);
    assert_eq!(hooks(&house).0, 1);
    let files: Vec<_> = Trust::read(&house.layers).unwrap().list();
    let files: Vec<_> = files.into_iter().map(|trusted| trusted.file).collect();
    assert_eq!(
        files,
        [house.path("evil.toml"), house.path("project/dalsegno.toml")]
    );
}

#[test]
fn a_file_that_others_may_write_is_not_taken_for_commands() {
    for bits in [0o620, 0o602, 0o666] {
        let house = House::new();
        let (project, user) = (house.project(HOOK), house.user(HOOK));
        trust(&house, &project);
        assert_eq!(hooks(&house).0, 2);
        let exposed = Refused::Exposed(Exposure::Writable { mode: bits });
        mode(&project, bits);
        assert_eq!(hooks(&house), (1, vec![exposed.clone()]));
        mode(&user, bits);
        assert_eq!(hooks(&house), (0, vec![exposed.clone(), exposed]));
        let said = house.load().left_out[0].to_string();
        assert!(
            said.contains("can be written by others") && said.contains("chmod go-w '"),
            "{said}"
        );
        let error = Trust::look(&house.layers, &project).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
    }
}

#[test]
fn a_file_of_somebody_else_is_not_taken_for_commands_nor_for_the_store() {
    let house = House::new();
    let file = house.project(HOOK);
    trust(&house, &file);
    if std::os::unix::fs::chown(&file, Some(12_345), None).is_err() {
        println!("skipped: only root can give files away");
        return;
    }
    let foreign = Refused::Exposed(Exposure::Foreign { owner: 12_345 });
    assert_eq!(hooks(&house), (0, vec![foreign]));
    fs::write(&file, "store = 'states'").unwrap();
    let said = house.refused();
    assert!(
        said.contains("names the store") && said.contains("(user 12345)"),
        "{said}"
    );
}

#[test]
fn a_store_that_anybody_could_have_named_is_refused() {
    let mut house = House::new();
    let file = house.project("store = 'states'");
    mode(&file, 0o664);
    assert_eq!(
        house.load().config.store.unwrap().value,
        house.path("project/states")
    );
    mode(&file, 0o606);
    assert!(house.refused().contains("name the store with --store"));
    house.layers.flags.store = Some("mine".into());
    assert_eq!(house.load().config.store.unwrap().value, Path::new("mine"));
}

#[test]
fn what_is_trusted_is_kept_for_the_user_only() {
    let house = House::new();
    trust(&house, &house.project(HOOK));
    let kept = house.layers.trust_file().unwrap();
    let bits = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((bits(&kept), bits(kept.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(kept.parent().unwrap()).unwrap().count(), 1);

    // Where others could have written it, nothing is trusted.
    mode(&kept, 0o622);
    let (run, why) = hooks(&house);
    assert!(
        run == 0 && matches!(&why[..], [Refused::Unknown(said)] if said.contains("chmod go-w"))
    );
    mode(&kept, 0o600);
    assert_eq!(hooks(&house).0, 1);
    fs::write(&kept, "{").unwrap();
    let (run, why) = hooks(&house);
    assert!(
        run == 0 && matches!(&why[..], [Refused::Unknown(said)] if said.contains("is damaged"))
    );
    let error = Trust::look(&house.layers, &house.path("project/dalsegno.toml")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
}

#[test]
fn trust_is_listed_and_taken_back() {
    let house = House::new();
    let project = house.project(HOOK);
    let deep = house.write("project/deep/dalsegno.toml", HOOK);
    let gone = house.write("gone/dalsegno.toml", HOOK);
    for file in [&project, &deep, &gone] {
        trust(&house, file);
    }
    house.write("project/deep/dalsegno.toml", "");
    fs::remove_file(&gone).unwrap();
    let listed = Trust::read(&house.layers).unwrap().list();
    let listed: Vec<_> = listed.into_iter().map(|t| (t.file, t.state)).collect();
    let expected = [
        (gone.clone(), State::Missing),
        (project.clone(), State::Same),
        (deep.clone(), State::Changed),
    ];
    for one in &expected {
        assert!(listed.contains(one), "{listed:?}");
    }
    let remove = |file: &Path, dry_run| Trust::remove(&house.layers, file, dry_run).unwrap();
    assert!(remove(&project, true));
    assert!(remove(&project, false) && !remove(&project, true) && !remove(&project, false));
    assert!(remove(&gone, false) && remove(&deep, false));
    assert_eq!(Trust::read(&house.layers).unwrap().list(), []);
}

#[test]
fn several_at_once_lose_nothing() {
    let house = House::new();
    let files: Vec<_> = (0..24)
        .map(|n| house.write(&format!("p{n}/dalsegno.toml"), HOOK))
        .collect();
    std::thread::scope(|scope| {
        for file in &files {
            scope.spawn(|| trust(&house, file));
        }
    });
    assert_eq!(
        Trust::read(&house.layers).unwrap().list().len(),
        files.len()
    );
}

#[test]
fn without_a_home_nothing_is_trusted() {
    let mut house = House::new();
    let file = house.project(HOOK);
    house.layers.state_home = None;
    assert_eq!(hooks(&house), (0, vec![Refused::Untrusted]));
    let error = Trust::look(&house.layers, &file).unwrap_err();
    assert!(error.to_string().contains("XDG_STATE_HOME"));
}

#[test]
fn the_users_hooks_come_first() {
    let house = House::new();
    house.user(&HOOK.replace("./notify.sh", "users"));
    trust(&house, &house.project(HOOK));
    let hooks = house.load().config.hooks;
    let words = |n: usize| match &hooks[n].action {
        Action::Command(words) => words.join(" "),
        Action::Webhook { .. } => panic!("a command"),
    };
    assert_eq!([words(0), words(1)], ["users", "./notify.sh"]);
    // Root may own what a user takes commands from: it could do anything anyway.
    assert!(
        fs::metadata(house.path("project")).unwrap().uid() == rustix::process::geteuid().as_raw()
    );
}
