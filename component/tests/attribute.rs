//! What the attribute `component` accepts: both forms of `construct`, and the façade by another name.

use portcullis_component::{Env, Error, component};
use std::process::ExitCode;

mod plain {
    use super::{Env, component};

    #[component]
    fn construct(env: Env) {
        env.exit(0);
    }

    pub(super) const MAIN: fn() -> std::process::ExitCode = main;
}

mod fallible {
    use super::{Env, Error, component};

    mod facade {
        pub(super) use portcullis_component as component;
    }

    #[component(crate = facade)]
    fn construct(env: Env) -> Result<(), Error> {
        env.exit(0);
        Ok(())
    }

    pub(super) const MAIN: fn() -> std::process::ExitCode = main;
}

#[test]
fn a_program_that_has_no_parent_says_so_and_fails() {
    // As text, since an exit code has no equality.
    let failure = format!("{:?}", ExitCode::FAILURE);
    for main in [plain::MAIN, fallible::MAIN] {
        assert_eq!(format!("{:?}", main()), failure);
    }
}
