/** The part of @std/yaml that is used here, under its names; @std/yaml is itself a port of js-yaml. */
export { dump as stringify, load as parse } from "js-yaml";
