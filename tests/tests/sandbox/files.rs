//! No file beyond its program and its libraries.

use crate::{INTRUDER, refused, watchdog};
use portcullis_component::sandbox::{Program, Sandbox};
use portcullis_tests::intruder::attempt::Attempt;
use portcullis_tests::intruder::cell::{both, both_in, strict};
use rustix::io::Errno;
use std::fs;
use std::path::PathBuf;

/// Made by a test, and gone with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("portcullis-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("there is a place for temporary files");
        Directory(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("the path is a text").into()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("it is ours");
    }
}

#[test]
fn strict_a_file_of_others_cannot_be_read() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    for path in ["/etc/passwd", "/proc/self/status", "/proc/1/cmdline", "/sys", "/dev/null", INTRUDER] {
        free.tries(Attempt::Look, path).expect("it is there");
        refused(confined.tries(Attempt::Read, path), &[Errno::NOENT, Errno::ACCESS]);
        refused(confined.tries(Attempt::Look, path), &[Errno::NOENT]);
    }
    assert!(free.tries(Attempt::Read, "/etc/passwd").is_ok());
}

#[test]
fn strict_nothing_is_listed() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    for path in ["/", "/lib", "/usr", "/tmp", "/proc", "."] {
        free.tries(Attempt::List, path).expect("it is there");
        refused(confined.tries(Attempt::List, path), &[Errno::NOENT, Errno::ACCESS]);
    }
}

#[test]
fn strict_nothing_is_written() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let directory = Directory::new("written");
    for path in
        [directory.path("new"), "/new".into(), "/lib/new".into(), "/dev/shm/new".into(), "/proc/new".into()]
    {
        refused(confined.tries(Attempt::Create, &path), &[Errno::NOENT, Errno::ACCESS, Errno::ROFS]);
    }
    assert_eq!(free.tries(Attempt::Create, &directory.path("new")), Ok("done".into()));
    let library = library();
    refused(confined.tries(Attempt::Overwrite, &library), &[Errno::ACCESS, Errno::ROFS]);
    let existing = directory.path("new");
    assert_eq!(free.tries(Attempt::Overwrite, &existing), Ok("done".into()));
    refused(confined.tries(Attempt::Overwrite, &existing), &[Errno::NOENT]);
}

#[test]
fn strict_its_own_library_can_be_read_and_no_other() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    let own = library();
    assert!(confined.tries(Attempt::Read, &own).is_ok(), "{own} is what the loader reads");
    let other = own.replace("libc.so.6", "libresolv.so.2");
    assert!(free.tries(Attempt::Read, &other).is_ok());
    refused(confined.tries(Attempt::Read, &other), &[Errno::NOENT]);
}

#[test]
fn attack_52_no_way_leads_up_or_around() {
    let _watchdog = watchdog();
    let directory = Directory::new("way");
    let secret = Directory::new("secret");
    fs::write(secret.path("file"), "secret").expect("it is ours");
    fs::write(directory.path("file"), "public").expect("it is ours");
    std::os::unix::fs::symlink(secret.path("file"), directory.path("absolute")).expect("it is ours");
    let around = format!("../{}/file", secret.0.file_name().expect("it has one").display());
    std::os::unix::fs::symlink(&around, directory.path("relative")).expect("it is ours");
    let sandbox = Sandbox { readable: vec![directory.0.clone()], ..strict() };
    let Some((confined, free)) = both_in(&Program::new(INTRUDER), &sandbox) else { return };

    assert_eq!(confined.tries(Attempt::Read, &directory.path("file")), Ok("public".into()));
    assert!(confined.tries(Attempt::List, &directory.path("")).is_ok_and(|names| names.contains("absolute")));
    refused(confined.tries(Attempt::Create, &directory.path("new")), &[Errno::ACCESS, Errno::ROFS]);
    refused(confined.tries(Attempt::Overwrite, &directory.path("file")), &[Errno::ACCESS, Errno::ROFS]);
    for name in ["absolute", "relative", &around] {
        let path = directory.path(name);
        assert_eq!(free.tries(Attempt::Read, &path), Ok("secret".into()), "{path}");
        refused(confined.tries(Attempt::Read, &path), &[Errno::NOENT, Errno::ACCESS]);
    }
    // What is no file but a way: to directories, descriptors and programs of processes.
    let up = "/../../../../../../etc/passwd";
    for path in [up, "/proc/self/root/etc/passwd", "/proc/self/cwd", "/proc/self/exe", "/proc/self/fd/3"] {
        free.tries(Attempt::Look, path).expect("it is there");
        refused(confined.tries(Attempt::Read, path), &[Errno::NOENT, Errno::ACCESS]);
    }
    // Nor does the file of an open descriptor lead anywhere: by /dev/fd, which is a way, too.
    refused(confined.tries(Attempt::Read, "/dev/fd/0"), &[Errno::NOENT]);
    free.tries(Attempt::Look, "/dev/fd/0").expect("it is there");
}

#[test]
fn attack_52_a_link_that_changes_while_it_is_followed_leads_nowhere() {
    let _watchdog = watchdog();
    let directory = Directory::new("race");
    fs::write(directory.path("public"), "public").expect("it is ours");
    let link = directory.path("link");
    let sandbox = Sandbox { readable: vec![directory.0.clone()], ..strict() };
    let Some((confined, free)) = both_in(&Program::new(INTRUDER), &sandbox) else { return };
    let (mut good, mut bad) = (0, 0);
    std::os::unix::fs::symlink("public", &link).expect("it is ours");
    for round in 0..200 {
        let target = if round % 2 == 0 { "/etc/passwd" } else { "public" };
        let next = directory.path("next");
        std::os::unix::fs::symlink(target, &next).expect("it is ours");
        let swap = std::thread::spawn({
            let link = link.clone();
            move || fs::rename(next, link).expect("it is ours")
        });
        match confined.tries(Attempt::Read, &link) {
            Ok(text) => {
                assert_eq!(text, "public");
                good += 1;
            }
            Err(Errno::NOENT | Errno::ACCESS) => bad += 1,
            Err(other) => panic!("{other}"),
        }
        swap.join().expect("it does not panic");
    }
    assert!(good > 0 && bad > 0, "both were seen: {good} and {bad}");
    fs::remove_file(&link).expect("it is ours");
    std::os::unix::fs::symlink("/etc/passwd", &link).expect("it is ours");
    assert!(free.tries(Attempt::Read, &link).is_ok());
    refused(confined.tries(Attempt::Read, &link), &[Errno::NOENT, Errno::ACCESS]);
}

#[test]
fn strict_no_program_is_run() {
    let _watchdog = watchdog();
    let Some((confined, free)) = both(INTRUDER) else { return };
    for path in ["/bin/sh", INTRUDER, &library(), "/lib64/ld-linux-x86-64.so.2"] {
        refused(confined.tries(Attempt::Execute, path), &[Errno::PERM]);
    }
    assert_eq!(confined.tries(Attempt::Thread, ""), Ok("7".into()), "it is still there");
    assert!(free.dies_of(Attempt::Execute, "/bin/true"), "it became another program, and that has ended");
}

/// A library that every program here needs.
fn library() -> String {
    let maps = fs::read_to_string("/proc/self/maps").expect("/proc is mounted");
    let path =
        maps.split_whitespace().find(|word| word.ends_with("/libc.so.6")).expect("there is a C library");
    // As loaders find it: the path in the list is the true one.
    path.strip_prefix("/usr").unwrap_or(path).into()
}
