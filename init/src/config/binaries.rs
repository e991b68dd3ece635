//! Whether the binaries are there. The one step that looks at the file system.

use super::composition::Composition;
use super::limits::MOST_PROBLEMS;
use super::place::Place;
use super::problem::{Problem, Problems};
use crate::name::Name;
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A binary, and where it is named.
#[derive(Clone, Debug)]
pub(super) struct Binary {
    /// A relative path begins at the directory of the file.
    pub(super) path: PathBuf,
    pub(super) place: Place,
    /// The components that lead to the composition that names it.
    pub(super) within: Arc<[Name]>,
}

impl Composition {
    /// Checks that the binary of each component is a file that can be executed, also of those within components that compose others, if
    /// routes lead their `spawn` to the root. Relative paths begin at `directory`. It says what is so now; whoever starts one opens it
    /// again.
    ///
    /// # Errors
    /// [`Problems`]: each binary that is not there, or cannot be executed.
    ///
    /// ```
    /// # use portcullis_init::Composition;
    /// let file = "[[component]]\nname = 'a'\nbinary = 'no/such'\nram = '4M'\ncaps = 9";
    /// let problems = Composition::parse(file)?.check_binaries("/".as_ref()).unwrap_err();
    /// assert!(problems.to_string().starts_with("3:10: error: component.binary: found \"/no/such\""));
    /// # Ok::<_, portcullis_init::Problems>(())
    /// ```
    pub fn check_binaries(&self, directory: &Path) -> Result<(), Problems> {
        let problems = self.binaries().iter().filter_map(|binary| {
            let path = directory.join(&binary.path);
            let why = obstacle(&path)?;
            let problem =
                Problem::error("component.binary", format!("{path:?}"), super::values::BINARY.expected);
            let (place, within) = (binary.place, binary.within.to_vec());
            Some(Problem { place, within, ..problem.hint(Some(why)) })
        });
        let mut problems: Vec<Problem> = problems.collect();
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by_key(|problem| problem.place);
        let more = problems.len().saturating_sub(MOST_PROBLEMS);
        problems.truncate(MOST_PROBLEMS);
        Err(Problems::new(problems, more))
    }
}

/// Why a file cannot be executed, if so.
fn obstacle(path: &Path) -> Option<String> {
    match std::fs::metadata(path) {
        Err(error) => return Some(error.to_string()),
        Ok(metadata) if metadata.is_dir() => return Some("it is a directory".into()),
        Ok(metadata) if !metadata.is_file() => return Some("it is no file".into()),
        Ok(_) => {}
    }
    accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS)
        .err()
        .map(|error| format!("{}; make it executable", std::io::Error::from(error)))
}
