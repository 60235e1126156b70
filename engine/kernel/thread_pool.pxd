"""Thread pool for short rounds of jobs, and a spin lock for rarely shared data."""

cdef extern from *:
    """
    #include <atomic>
    #include <condition_variable>
    #include <exception>
    #include <mutex>
    #include <new>
    #include <thread>
    #include <vector>
    #if defined(__x86_64__) || defined(__i386__)
    #define HANDOFF_PAUSE() __builtin_ia32_pause()
    #else
    #define HANDOFF_PAUSE() std::this_thread::yield()
    #endif

    typedef void (*handoff_job)(void* arg, int worker, int index);

    /* Idle workers take the jobs 0 ... count - 1 of a round in order; worker 0 is the calling thread. Between two rounds a
       worker spins before it sleeps: a round takes some ten microseconds, and so does waking a sleeping thread. */
    struct HandoffThreadPool {
        static const int SPINS = 4000;
        std::vector<std::thread> threads;
        std::mutex mutex;
        std::condition_variable wake;
        std::atomic<unsigned> round{0};
        std::atomic<int> busy_workers{0}, next_index{0};
        std::atomic<bool> out_of_memory{false};
        bool stopping = false;
        handoff_job job = nullptr;
        void* arg = nullptr;
        int count = 0;

        explicit HandoffThreadPool(int workers) {
            try {
                for (int i = 1; i < workers; i++) threads.emplace_back([this, i] { serve(i); });
            } catch (...) {
                stop();
                throw;
            }
        }
        ~HandoffThreadPool() { stop(); }
        void stop() {
            stopping = true;
            begin_round();
            for (auto& thread : threads) thread.join();
        }
        void begin_round() {
            { std::lock_guard<std::mutex> guard(mutex); round.fetch_add(1); }
            wake.notify_all();
        }
        void take_jobs(int worker) {
            try {
                for (int i; (i = next_index.fetch_add(1)) < count;) job(arg, worker, i);
            } catch (const std::exception&) { out_of_memory = true; }
        }
        void serve(int worker) {
            for (unsigned last_round = 0;;) {
                for (int i = 0; i < SPINS && round.load() == last_round; i++) HANDOFF_PAUSE();
                if (round.load() == last_round) {
                    std::unique_lock<std::mutex> guard(mutex);
                    wake.wait(guard, [&] { return round.load() != last_round; });
                }
                last_round += 1;
                if (stopping) return;
                take_jobs(worker);
                busy_workers.fetch_sub(1);
            }
        }
        void run(handoff_job round_job, void* round_arg, int round_count) {
            job = round_job, arg = round_arg, count = round_count;
            next_index.store(0);
            busy_workers.store((int)threads.size());
            begin_round();
            take_jobs(0);
            for (int i = 0; busy_workers.load() != 0; i++) {
                if (i < SPINS) HANDOFF_PAUSE();
                else std::this_thread::yield();
            }
            if (out_of_memory) throw std::bad_alloc();
        }
    };
    /* Spin lock that is released when the function ends, also by an exception. */
    struct HandoffScopedLock {
        char* lock = nullptr;
        void acquire(char* free_lock) {
            while (__atomic_test_and_set(free_lock, __ATOMIC_ACQUIRE)) HANDOFF_PAUSE();
            lock = free_lock;
        }
        void release() {
            if (lock != nullptr) __atomic_clear(lock, __ATOMIC_RELEASE);
            lock = nullptr;
        }
        ~HandoffScopedLock() { release(); }
    };
    static inline HandoffThreadPool* handoff_new_thread_pool(int workers) {
        try { return new HandoffThreadPool(workers); } catch (...) { return nullptr; }
    }
    """
    ctypedef void (*Job "handoff_job")(void* arg, int worker, int index) noexcept nogil
    cppclass ThreadPool "HandoffThreadPool":
        void run(Job job, void* arg, int count) noexcept nogil
    ThreadPool* new_thread_pool "handoff_new_thread_pool"(int workers) noexcept nogil  # NULL if no thread can be started
    cppclass ScopedLock "HandoffScopedLock":
        void acquire(char* lock) noexcept nogil
        void release() noexcept nogil
