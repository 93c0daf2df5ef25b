//! Which file is the project's.

use std::fs;
use std::os::unix::fs::symlink;

use crate::house::House;

#[test]
fn the_nearest_one_up_is_the_projects() {
    let mut house = House::new();
    assert_eq!(house.layers.project_file(), None);
    let file = house.write("project/dalsegno.toml", "actor = 'project'");
    assert_eq!(house.layers.project_file(), Some(file));
    let nearer = house.write("project/deep/dalsegno.toml", "actor = 'deep'");
    assert_eq!(house.layers.project_file(), Some(nearer.clone()));
    house.layers.working_folder = Some(house.path("project/deep/deeper"));
    assert_eq!(house.load().project_file, Some(nearer));
    // Only the nearest one is read.
    house.write("project/dalsegno.toml", "unknown = 1");
    assert_eq!(house.load().config.actor.unwrap().value, "deep");
}

#[test]
fn the_search_ends_at_home() {
    let mut house = House::new();
    house.write("dalsegno.toml", "actor = 'above'");
    house.layers.home = Some(house.path("project"));
    assert_eq!(house.layers.project_file(), None);
    // The home itself is looked at, also where a link leads to it.
    symlink(house.path(""), house.path("project/link")).unwrap();
    house.layers.home = Some(house.path("project/link"));
    assert_eq!(
        house.layers.project_file(),
        Some(house.path("dalsegno.toml"))
    );
    // From elsewhere, it goes on to the root.
    house.layers.home = Some(house.path("project/deep/deeper"));
    assert_eq!(
        house.layers.project_file(),
        Some(house.path("dalsegno.toml"))
    );
}

#[test]
fn what_is_no_file_is_an_error_and_not_passed_over() {
    let house = House::new();
    house.write("dalsegno.toml", "actor = 'above'");
    let file = house.path("project/dalsegno.toml");
    fs::create_dir(&file).unwrap();
    assert!(
        house
            .refused()
            .contains("a configuration is a regular file")
    );
    fs::remove_dir(&file).unwrap();
    symlink("nowhere", &file).unwrap();
    assert!(house.refused().contains("No such file"));
    fs::remove_file(&file).unwrap();
    // A pipe that nobody writes to is not waited for.
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &file,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    assert!(
        house
            .refused()
            .contains("a configuration is a regular file")
    );
    fs::remove_file(&file).unwrap();
    fs::write(&file, [0xff]).unwrap();
    assert!(house.refused().contains("it is not UTF-8"));
    fs::write(&file, " ".repeat((1 << 20) + 1)).unwrap();
    assert!(house.refused().contains("at most 1 MiB"));
    fs::write(&file, " ".repeat(1 << 20)).unwrap();
    assert!(house.load().config.actor.is_none());
}
