use portcullis_component::{Env, component};

#[component]
const unsafe extern "C" fn construct(_: Env) {}
