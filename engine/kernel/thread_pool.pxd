"""A few threads that take jobs side by side, again and again; and a lock for what is seldom touched."""

cdef extern from *:
    """
    #include <atomic>
    #include <condition_variable>
    #include <mutex>
    #include <thread>
    #include <vector>
    #if defined(__x86_64__) || defined(__i386__)
    #define HANDOFF_PAUSE() __builtin_ia32_pause()
    #else
    #define HANDOFF_PAUSE() std::this_thread::yield()
    #endif

    typedef void (*handoff_job)(void* arg, int worker, int job);

    /* Jobs 0 ... n - 1 go to whoever is free; worker 0 is the caller. Between two rounds a worker spins for a while before it
       sleeps: a round takes some ten microseconds, waking up as long. */
    struct HandoffPool {
        static const int SPINS = 4000;
        std::vector<std::thread> threads;
        std::mutex mutex;
        std::condition_variable wake;
        std::atomic<unsigned> round{0};
        std::atomic<int> working{0}, next{0};
        bool ended = false;
        handoff_job job = nullptr;
        void* arg = nullptr;
        int count = 0;

        explicit HandoffPool(int workers) {
            for (int i = 1; i < workers; i++) threads.emplace_back([this, i] { serve(i); });
        }
        ~HandoffPool() {
            ended = true;
            begin_round();
            for (auto& thread : threads) thread.join();
        }
        void begin_round() {
            { std::lock_guard<std::mutex> guard(mutex); round.fetch_add(1); }
            wake.notify_all();
        }
        void take(int worker) {
            for (int i; (i = next.fetch_add(1)) < count;) job(arg, worker, i);
        }
        void serve(int worker) {
            for (unsigned seen = 0;;) {
                for (int i = 0; i < SPINS && round.load() == seen; i++) HANDOFF_PAUSE();
                if (round.load() == seen) {
                    std::unique_lock<std::mutex> guard(mutex);
                    wake.wait(guard, [&] { return round.load() != seen; });
                }
                seen += 1;
                if (ended) return;
                take(worker);
                working.fetch_sub(1);
            }
        }
        void run(handoff_job what, void* with, int n) {
            job = what, arg = with, count = n;
            next.store(0);
            working.store((int)threads.size());
            begin_round();
            take(0);
            for (int i = 0; working.load() != 0; i++) {
                if (i < SPINS) HANDOFF_PAUSE();
                else std::this_thread::yield();
            }
        }
    };
    static inline HandoffPool* handoff_pool(int workers) {
        try { return new HandoffPool(workers); } catch (...) { return nullptr; }
    }
    static inline void handoff_acquire(char* lock) {
        while (__atomic_test_and_set(lock, __ATOMIC_ACQUIRE)) HANDOFF_PAUSE();
    }
    static inline void handoff_release(char* lock) { __atomic_clear(lock, __ATOMIC_RELEASE); }
    """
    ctypedef void (*Job "handoff_job")(void* arg, int worker, int job) noexcept nogil
    cppclass Pool "HandoffPool":
        void run(Job job, void* arg, int count) noexcept nogil
    Pool* new_pool "handoff_pool"(int workers) noexcept nogil  # NULL if the system has no more threads
    void acquire "handoff_acquire"(char* lock) noexcept nogil
    void release_lock "handoff_release"(char* lock) noexcept nogil
