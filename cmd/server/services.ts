/** The services of `rsp server`. */
import { calcAppService } from "./calcapp_service.ts";
import { chargenService } from "./chargen_service.ts";
import { daytimeService } from "./daytime_service.ts";
import { discardService } from "./discard_service.ts";
import { echoService } from "./echo_service.ts";
import { fractalService } from "./fractal_service.ts";
import { pingPongService } from "./pingpong_service.ts";
import { scriptingService } from "./scripting_service.ts";
import type { Service } from "./service.ts";

/** All services, in the order of the help text. */
export const services: readonly Service[] = [
  echoService,
  discardService,
  daytimeService,
  chargenService,
  pingPongService,
  fractalService,
  calcAppService,
  scriptingService,
];
