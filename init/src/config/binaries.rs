//! Whether the binaries are there. The one step that looks at the file system.

use super::composition::Composition;
use super::problem::{Problem, Problems};
use rustix::fs::{Access, AtFlags, CWD, accessat};
use std::path::Path;

impl Composition {
    /// Checks that the binary of each component is a file that can be executed. Relative paths begin at `directory`. It
    /// says what is so now; whoever starts one opens it again.
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
        let problems = self.binary_places().filter_map(|(component, place)| {
            let path = directory.join(&component.binary);
            let why = obstacle(&path)?;
            let problem =
                Problem::error("component.binary", format!("{path:?}"), super::values::BINARY.expected);
            Some(Problem { place, ..problem.hint(Some(why)) })
        });
        let problems: Vec<Problem> = problems.collect();
        if problems.is_empty() { Ok(()) } else { Err(Problems::new(problems, 0)) }
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
