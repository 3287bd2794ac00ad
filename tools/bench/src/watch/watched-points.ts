import { contestpb } from '@sluice/protocol/contest';
import { eachField } from '../load/wire-fields';

const MEMBER_FIELD = 3;

/** Points of the member that was asked for, from the bytes of a WatchStandingsResponse. The other members are not decoded: a thousand watchers get them. */
export function watchedPoints(bytes: Uint8Array): number {
  let points = 0;
  eachField(bytes, ({ field, value, start }) => {
    if (field !== MEMBER_FIELD || start === undefined) return;
    points = Number(contestpb.MemberStanding.decode(bytes.subarray(start, start + value)).points);
  });
  return points;
}
