/** Import this first in a test that reaches libc: it is opened once a process, which no single test may be blamed for. */
import { closeFd, openFd } from "../../ffi/mod.ts";

closeFd(openFd("/dev/null", 0));
