"""C++ vector for the kernel. A shortage of memory passes through kernel functions (engine/kernel/shortage.pxd)."""

cdef extern from "<vector>" namespace "std" nogil:
    cdef cppclass vector[T]:
        cppclass iterator:
            T& operator*()
            iterator operator++()
            iterator operator+(size_t)
            bint operator==(iterator)
            bint operator!=(iterator)
        vector()
        T& operator[](size_t)
        T& back()
        T* data()
        iterator begin()
        iterator end()
        size_t size()
        size_t capacity()
        void reserve(size_t)
        void resize(size_t)
        void resize(size_t, const T&)
        void shrink_to_fit()
        void push_back(T&)
        void pop_back()
        void clear()
        void swap(vector&)
        void assign(const T*, const T*)
        iterator erase(iterator, iterator)
        iterator insert(iterator, iterator, iterator)
