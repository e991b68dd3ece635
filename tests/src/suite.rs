//! One suite of tests for two places.

/// Makes each function of a suite a test in each of the two places of the module where it stands, `Processes` and
/// `Threads`. It ends with that module's `Outcome`, and takes no longer than its `LIMIT`.
#[macro_export]
macro_rules! suite {
    ($($module:ident: $($name:ident),+;)+) => {
        mod across_processes {
            $($(#[test]
            fn $name() -> super::Outcome {
                let _watchdog = $crate::watchdog::Watchdog::start(super::LIMIT);
                super::$module::$name::<super::Processes>()
            })+)+
        }

        mod in_process {
            $($(#[test]
            fn $name() -> super::Outcome {
                let _watchdog = $crate::watchdog::Watchdog::start(super::LIMIT);
                super::$module::$name::<super::Threads>()
            })+)+
        }
    };
}
