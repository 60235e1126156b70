// Networks with traffic both ways in exact schedules that all give the same numbers: heap, wheel, sorts.
//
//   duplex schedule=wheel network=FILE
#include "heap.hpp"
#include "simulator.hpp"
#include "sorts.hpp"
#include "wheel.hpp"

#include <cstring>
#include <sys/resource.h>

namespace {

double user_seconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}

template <class Schedule>
int report(const char* path) {
  Network network(path);
  Simulator<Schedule> simulator(network);
  const double before = user_seconds();
  const Outcome out = simulator.run();
  const double user = user_seconds() - before;
  std::printf("{\"delivered\": %llu, \"hops\": %llu, \"delay_sum_ps\": %lld, \"weighted_delays\": %llu, "
              "\"acknowledged\": %llu, \"markers\": %llu, \"user_s\": %.6f}\n",
              static_cast<unsigned long long>(out.delivered), static_cast<unsigned long long>(out.hops),
              static_cast<long long>(out.delay_sum),
              static_cast<unsigned long long>(out.weighted_delays), static_cast<unsigned long long>(out.acknowledged),
              static_cast<unsigned long long>(out.markers), user);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const char *schedule = "", *path = nullptr;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "schedule=", 9) == 0) schedule = argv[i] + 9;
    else if (std::strncmp(argv[i], "network=", 8) == 0) path = argv[i] + 8;
    else path = nullptr, schedule = argv[i];
  }
  if (path != nullptr && std::strcmp(schedule, "heap") == 0) return report<Heap>(path);
  if (path != nullptr && std::strcmp(schedule, "wheel") == 0) return report<Wheel>(path);
  if (path != nullptr && std::strcmp(schedule, "sorts") == 0) return report<Sorts>(path);
  std::fprintf(stderr, "not an argument: %s; give schedule=heap, wheel or sorts, and network=FILE\n", schedule);
  return 2;
}
